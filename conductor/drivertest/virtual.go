package drivertest

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// Endpoint is where a machine under test finds its BMC, and how it logs in.
type Endpoint struct {
	Host     string
	Port     int
	URL      string // of Redfish
	User     string
	Password string
}

// Virtual is a Rig on Ingot's own virtual BMC, which is judged by other people's clients in tests of its own.
type Virtual struct {
	build  func(t testing.TB, at Endpoint) ingot.Machine
	server *vbmc.Server
	log    vbmc.Log
	behind behind
	at     Endpoint
}

// NewVirtual starts a virtual BMC that speaks the protocol ("ipmi" or "redfish") on host, a loopback address; build
// makes a machine of the driver under test for it.
func NewVirtual(t testing.TB, protocol, host string, build func(t testing.TB, at Endpoint) ingot.Machine) *Virtual {
	t.Helper()
	v := &Virtual{build: build, at: Endpoint{User: "admin", Password: "secret"}}
	v.server = &vbmc.Server{Machine: &v.behind, Username: v.at.User, Password: v.at.Password, Journal: &v.log}
	if protocol == vbmc.ProtocolRedfish {
		v.server.RedfishListen = net.JoinHostPort(host, "0")
	} else {
		v.server.IPMIListen = net.JoinHostPort(host, "0")
	}
	require.NoError(t, v.server.Listen())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.server.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })
	address := v.server.IPMIAddr()
	if v.at.URL = v.server.RedfishURL(); v.at.URL != "" {
		address = v.at.URL[strings.Index(v.at.URL, "://")+3:]
	}
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	v.at.Host = host
	v.at.Port, err = strconv.Atoi(port)
	require.NoError(t, err)
	return v
}

// Machine builds a machine of the driver's.
func (v *Virtual) Machine(t testing.TB, login Login) ingot.Machine {
	t.Helper()
	at := v.at
	if login == WrongPassword {
		at.Password = "guess"
	}
	return v.build(t, at)
}

// Truth is read from the machine behind the BMC, and from the BMC's journal.
func (v *Virtual) Truth(testing.TB) Truth {
	truth := Truth{Address: net.JoinHostPort(v.at.Host, strconv.Itoa(v.at.Port)), Power: ingot.PowerOff}
	v.behind.mu.Lock()
	truth.NMIs, truth.Image, truth.Changes = v.behind.nmis, v.behind.image, map[string]int{}
	if v.behind.on {
		truth.Power = ingot.PowerOn
	}
	v.behind.mu.Unlock()
	for _, e := range v.log.Entries() {
		switch {
		case e.Protocol == vbmc.ProtocolMachine || e.Outcome != vbmc.OutcomeOK && e.Outcome != vbmc.OutcomeUnchanged:
		case e.Verb == vbmc.VerbPower && e.Argument != "nmi":
			truth.PowerCommands++
		case e.Verb == vbmc.VerbBootDevice:
			truth.BootCommands++
		case e.Verb == vbmc.VerbSecureBoot, e.Verb == vbmc.VerbBIOS, e.Verb == vbmc.VerbIndicator, e.Verb == vbmc.VerbMediaInsert, e.Verb == vbmc.VerbMediaEject:
			truth.Changes[e.Verb]++
		}
	}
	if boot := v.server.Boot(); boot.Set() {
		truth.Boot = ingot.BootSetting{Device: ingot.BootDevice(boot.Device), Persistent: boot.Persistent, Mode: ingot.ModeBIOS}
		if boot.EFI {
			truth.Boot.Mode = ingot.ModeUEFI
		}
	}
	return truth
}

// SetPower is the machine's own power button.
func (v *Virtual) SetPower(_ testing.TB, state ingot.PowerState) {
	v.behind.mu.Lock()
	defer v.behind.mu.Unlock()
	v.behind.on = state == ingot.PowerOn
}

// Boots is a reboot by the operating system.
func (v *Virtual) Boots(testing.TB) { v.server.TakeBoot() }

// Break sets the virtual BMC's faults.
func (v *Virtual) Break(_ testing.TB, f Fault) bool {
	faults := map[Fault]vbmc.Misbehaviour{Healthy: {}, Dead: {Deaf: true}, Busy: {Busy: -1}, LostReply: {LoseReplies: 1}, Full: {NoSessions: true}}
	misbehaviour, can := faults[f]
	v.server.Faults.Set(misbehaviour)
	return can
}

// behind is the machine behind the virtual BMC. It obeys at once.
type behind struct {
	mu    sync.Mutex
	on    bool
	nmis  int
	image string
}

// LoadMedia keeps what is in the drive.
func (b *behind) LoadMedia(_ context.Context, image string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.image = image
	return nil
}

// Power says whether it is on.
func (b *behind) Power(context.Context) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on, nil
}

// SetPower switches it.
func (b *behind) SetPower(_ context.Context, action vbmc.PowerAction, _ vbmc.Boot) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = action == vbmc.PowerOn || action == vbmc.PowerReset
	return nil
}

// InjectNMI counts.
func (b *behind) InjectNMI(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nmis++
	return nil
}
