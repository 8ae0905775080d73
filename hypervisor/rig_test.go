//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"context"
	"log/slog"
	"regexp"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
	"github.com/ingot-metal/ingot/hypervisor"
)

// rig is a domain behind a libvirt, looked at through a connection of the test's own.
type rig struct {
	t     testing.TB
	uri   string
	node  ingot.Node
	hosts *hypervisor.Hosts
	told  *journal
	conn  *libvirt.Connect
	// pause stops and goes on with the daemon; nil where there is none.
	pause func(t testing.TB, stop bool)
}

// newRig defines a domain of the XML, in which ID stands for its UUID.
func newRig(t testing.TB, uri, domain string, pause func(testing.TB, bool)) *rig {
	t.Helper()
	r := &rig{t: t, uri: uri, told: &journal{calls: map[string]int{}}, pause: pause, node: ingot.Node{UUID: uuid.NewString(), ParentNode: uuid.NewString()}}
	r.hosts = &hypervisor.Hosts{Log: slog.New(r.told)}
	conn, err := libvirt.NewConnect(uri)
	require.NoError(t, err)
	r.conn = conn
	d, err := conn.DomainDefineXML(regexp.MustCompile(`\bID\b`).ReplaceAllString(domain, r.node.UUID))
	require.NoError(t, err)
	t.Cleanup(func() {
		r.Break(t, drivertest.Healthy)
		_ = d.Destroy() // it may be off
		require.NoError(t, d.UndefineFlags(undefineAll(uri)))
		require.NoError(t, d.Free())
		_, err := conn.Close()
		require.NoError(t, err)
		require.NoError(t, r.hosts.Close())
	})
	return r
}

// undefineAll is what a driver knows of the flags.
func undefineAll(uri string) libvirt.DomainUndefineFlagsValues {
	if uri == "test:///default" {
		return libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE
	}
	return libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.DOMAIN_UNDEFINE_NVRAM
}

func (r *rig) Machine(t testing.TB, _ drivertest.Login) ingot.Machine {
	m, err := r.hosts.Guest(&r.node, func(context.Context, string) (ingot.Hypervisor, error) {
		return ingot.Hypervisor{NodeUUID: r.node.ParentNode, URI: r.uri}, nil
	})
	require.NoError(t, err)
	return m
}

// look runs a question on a handle of its own.
func (r *rig) look(t testing.TB, question func(*libvirt.Domain)) {
	t.Helper()
	d, err := r.conn.LookupDomainByUUIDString(r.node.UUID)
	require.NoError(t, err)
	question(d)
	require.NoError(t, d.Free())
}

var (
	bootNote = regexp.MustCompile(`<ingot:boot device="(\w+)" persistent="(\w+)"`)
	mediaURL = regexp.MustCompile(`<source protocol='http' name='([^']*)'.*>\s*<host name='([^']*)'`)
	efi      = regexp.MustCompile(`<os firmware='efi'`)
)

func (r *rig) Truth(t testing.TB) drivertest.Truth {
	truth := drivertest.Truth{
		Address: r.uri, Power: ingot.PowerOff, PowerCommands: r.told.sum("on", "off", "soft-off", "reset"),
		BootCommands: r.told.sum("define"), NMIs: r.told.sum("nmi"), Changes: map[string]int{"update-device": r.told.sum("update-device")},
	}
	r.look(t, func(d *libvirt.Domain) {
		active, err := d.IsActive()
		require.NoError(t, err)
		if active {
			truth.Power = ingot.PowerOn
		}
		text, err := d.GetXMLDesc(libvirt.DOMAIN_XML_INACTIVE)
		require.NoError(t, err)
		truth.Boot.Mode = map[bool]ingot.BootMode{true: ingot.ModeUEFI, false: ingot.ModeBIOS}[efi.MatchString(text)]
		if note := bootNote.FindStringSubmatch(text); note != nil {
			truth.Boot.Device, truth.Boot.Persistent = ingot.BootDevice(note[1]), note[2] == "yes"
		}
		if media := mediaURL.FindStringSubmatch(text); media != nil {
			truth.Image = "http://" + media[2] + "/" + media[1]
		}
	})
	return truth
}

func (r *rig) SetPower(t testing.TB, state ingot.PowerState) {
	r.look(t, func(d *libvirt.Domain) {
		active, err := d.IsActive()
		require.NoError(t, err)
		switch {
		case state == ingot.PowerOn && !active:
			require.NoError(t, d.Create())
		case state == ingot.PowerOff && active:
			require.NoError(t, d.Destroy())
		}
	})
}

// Boots switches the guest off and on through the driver: that is when its firmware starts.
func (r *rig) Boots(t testing.TB) {
	m := r.Machine(t, drivertest.RightPassword)
	require.NoError(t, m.SetPower(context.Background(), ingot.ActionOff))
	require.NoError(t, m.SetPower(context.Background(), ingot.ActionOn))
}

func (r *rig) Break(t testing.TB, f drivertest.Fault) bool {
	if r.pause == nil || f != drivertest.Dead && f != drivertest.Healthy {
		return false
	}
	r.pause(t, f == drivertest.Dead)
	return true
}

// journal counts the calls that the driver says it makes: libvirt keeps no list of them.
type journal struct {
	mu    sync.Mutex
	calls map[string]int
}

func (j *journal) sum(calls ...string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range calls {
		n += j.calls[c]
	}
	return n
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "call" {
			j.mu.Lock()
			j.calls[a.Value.String()]++
			j.mu.Unlock()
		}
		return true
	})
	return nil
}
