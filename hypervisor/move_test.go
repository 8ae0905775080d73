//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// pair is two hosts that reach each other.
type pair struct {
	t       *testing.T
	hosts   *hypervisor.Hosts
	daemons map[string]*libvirttest.Daemon
	known   map[string]ingot.Hypervisor
	a, b    string
}

func newPair(t *testing.T) *pair {
	t.Helper()
	one, two := libvirttest.Start(t), libvirttest.Start(t)
	libvirttest.Link(t, one, two)
	shared := libvirttest.SharedDir(t)
	p := &pair{t: t, hosts: &hypervisor.Hosts{}, daemons: map[string]*libvirttest.Daemon{}, known: map[string]ingot.Hypervisor{}}
	for _, d := range []*libvirttest.Daemon{one, two} {
		d.AddPool(t, "shared", shared)
		h := on(d)
		h.Pools = append(h.Pools, ingot.StoragePool{Name: "shared", Shared: true})
		p.daemons[h.NodeUUID], p.known[h.NodeUUID] = d, h
		p.a, p.b = p.b, h.NodeUUID
	}
	t.Cleanup(func() { require.NoError(t, p.hosts.Close()) })
	return p
}

// at is the guest's machine on a host.
func (p *pair) at(n *ingot.Node, host string) machineAt {
	p.t.Helper()
	here := *n
	here.ParentNode = host
	m, err := p.hosts.Guest(&here, func(_ context.Context, id string) (ingot.Hypervisor, error) { return p.known[id], nil })
	require.NoError(p.t, err)
	maker, _ := ingot.As[ingot.GuestMaker](m)
	mover, ok := ingot.As[ingot.GuestMover](m)
	require.True(p.t, ok)
	return machineAt{m, maker, mover}
}

type machineAt struct {
	ingot.Machine
	ingot.GuestMaker
	ingot.GuestMover
}

func (m machineAt) see(t *testing.T) ingot.GuestSight {
	t.Helper()
	s, err := m.SeeGuest(t.Context())
	require.NoError(t, err)
	return s
}

// guest is one that counts, running on host a.
func (p *pair) guest(pool string) *ingot.Node {
	p.t.Helper()
	ctx, opened := p.t.Context(), 0
	n := node(func(n *ingot.Node) {
		n.UUID, n.ParentNode = uuid.NewString(), p.a
		n.Properties = map[string]any{"cpus": 1.0, "memory_mb": 64.0, "local_gb": 1.0}
		n.DriverInfo = map[string]any{"pool": pool}
	})
	m := p.at(n, p.a)
	require.NoError(p.t, m.DefineGuest(ctx, p.ports()))
	image := imageOf(libvirttest.Counting(), &opened)
	soon(p.t, "the disk is there", func() bool {
		err := m.ImageDisk(ctx, "key", image)
		require.False(p.t, ingot.IsFatal(err), "%v", err)
		return err == nil
	})
	require.NoError(p.t, m.ConfigDrive(ctx, make([]byte, 4096)))
	require.NoError(p.t, m.SetPower(ctx, ingot.ActionOn))
	soon(p.t, "it counts", func() bool { return p.counted(n, p.a, pool) > 3 })
	return n
}

func (p *pair) ports() []ingot.Port {
	return []ingot.Port{{Address: "52:54:00:00:00:31", PhysicalNetwork: "lab"}}
}

// counted is the last whole number that a guest said on a host; 0 where it said none.
func (p *pair) counted(n *ingot.Node, host, pool string) int64 {
	numbers := p.numbers(n, host, pool)
	if len(numbers) == 0 {
		return 0
	}
	return numbers[len(numbers)-1]
}

func (p *pair) numbers(n *ingot.Node, host, pool string) (all []int64) {
	text, err := p.at(n, host).Machine.(ingot.ConsoleLog).ConsoleLog(p.t.Context(), 1<<20)
	if err != nil {
		return nil // it said nothing there yet
	}
	for _, line := range strings.Split(string(text), "\n") {
		if number, err := strconv.ParseInt(line, 16, 64); err == nil && len(line) == 8 {
			all = append(all, number)
		}
	}
	return all
}

// send asks until the guest has been sent.
func (p *pair) send(n *ingot.Node, from, to string, live bool) {
	p.t.Helper()
	move := ingot.GuestMove{To: to, Key: uuid.NewString(), Ports: p.ports(), Live: live}
	began := time.Now()
	soon(p.t, "it is sent", func() bool {
		err := p.at(n, from).SendGuest(p.t.Context(), move)
		if err != nil {
			require.Equal(p.t, ingot.Unavailable, ingot.CodeOf(err), "%v", err)
		}
		return err == nil
	})
	p.t.Logf("sent within %v", time.Since(began))
}

// TestLiveMove: the guest goes on counting on the other host, with disks of its own and with shared ones, and nothing is
// left behind.
func TestLiveMove(t *testing.T) {
	p := newPair(t)
	for _, pool := range []string{"default", "shared"} {
		t.Run(pool, func(t *testing.T) {
			p.t = t
			n := p.guest(pool)
			require.Equal(t, ingot.GuestSight{Defined: true, Power: ingot.PowerOn, Disk: true}, p.at(n, p.a).see(t))
			before := p.counted(n, p.a, pool)
			p.send(n, p.a, p.b, true)
			there := p.at(n, p.b).see(t)
			require.True(t, there.Runs())
			here := p.at(n, p.a).see(t)
			require.False(t, here.Defined)
			require.NoError(t, p.at(n, p.a).RetireGuest(t.Context()))
			soon(t, "it counts on", func() bool { return p.counted(n, p.b, pool) > before+20 })
			numbers := p.numbers(n, p.b, pool)
			for i := 1; i < len(numbers); i++ {
				require.Equal(t, numbers[i-1]+1, numbers[i], "it is the same machine, and did not start again")
			}
			left, err := filepath.Glob(filepath.Join(p.daemons[p.a].Dir, "pool", n.UUID+".*"))
			require.NoError(t, err)
			require.Empty(t, left)
			require.True(t, p.at(n, p.b).see(t).Disk)

			// What arrived is whole: it starts again from its disk.
			m := p.at(n, p.b)
			require.NoError(t, m.SetPower(t.Context(), ingot.ActionOff))
			require.NoError(t, m.SetPower(t.Context(), ingot.ActionOn))
			soon(t, "it counts from 1", func() bool { return p.counted(n, p.b, pool) < 20 })
			require.NoError(t, m.RemoveGuest(t.Context()))
		})
	}
}

// TestLiveMoveOverTLS: where one host wants it, both need certificates, and know each other by them; without, the guest stays.
func TestLiveMoveOverTLS(t *testing.T) {
	p := newPair(t)
	n := p.guest("default")
	wants := p.known[p.b]
	wants.MigrationTLS = true
	p.known[p.b] = wants
	folder, elsewhere := t.TempDir(), t.TempDir()
	ours, other := libvirttest.NewAuthority(t, folder), libvirttest.NewAuthority(t, elsewhere)
	fails := func(says string) {
		t.Helper()
		move, err := ingot.GuestMove{To: p.b, Key: uuid.NewString(), Ports: p.ports(), Live: true}, error(nil)
		soon(t, "it fails", func() bool {
			err = p.at(n, p.a).SendGuest(t.Context(), move)
			return ingot.CodeOf(err) != ingot.Unavailable
		})
		require.ErrorContains(t, err, says)
		require.True(t, p.at(n, p.a).see(t).Runs())
		require.False(t, p.at(n, p.b).see(t).Runs())
	}
	fails("Unable to access credentials /etc/libvirt/pki/ca-cert.pem: No such file or directory (migration_tls is set, so the QEMU of")
	p.daemons[p.a].MigrateTLS(t, ours, folder)
	p.daemons[p.b].MigrateTLS(t, other, elsewhere)
	fails("needs certificates of one authority")
	p.daemons[p.b].MigrateTLS(t, ours, folder)
	before := p.counted(n, p.a, "default")
	p.send(n, p.a, p.b, true)
	soon(t, "it counts on", func() bool { return p.counted(n, p.b, "default") > before+20 })
}

// TestColdMove: the disk of a guest that is off comes along, read back; asked again nothing happens.
func TestColdMove(t *testing.T) {
	p := newPair(t)
	for _, pool := range []string{"default", "shared"} {
		t.Run(pool, func(t *testing.T) {
			p.t = t
			n := p.guest(pool)
			require.NoError(t, p.at(n, p.a).SetPower(t.Context(), ingot.ActionOff))
			p.send(n, p.a, p.b, false)
			require.Equal(t, ingot.GuestSight{Defined: true, Power: ingot.PowerOff, Disk: true}, p.at(n, p.b).see(t))
			require.Equal(t, ingot.GuestSight{Defined: true, Power: ingot.PowerOff, Disk: true}, p.at(n, p.a).see(t), "nothing is taken away yet")
			require.NoError(t, p.at(n, p.a).RetireGuest(t.Context()))
			m := p.at(n, p.b)
			if pool == "default" {
				require.NoError(t, os.WriteFile(filepath.Join(p.daemons[p.b].Dir, "pool", n.UUID+".console.log"), nil, 0o600))
			}
			require.NoError(t, m.SetPower(t.Context(), ingot.ActionOn))
			soon(t, "it counts there", func() bool { c := p.counted(n, p.b, pool); return c > 3 && m.see(t).Runs() })
			require.NoError(t, m.RemoveGuest(t.Context()))
		})
	}
}

// TestMoveLeavesOthersDisksAlone: a guest with a disk that is not its own stays where it is, and the volume of that name on the
// other host is as it was. Without it its own disk goes along, wherever the other host has its disks.
func TestMoveLeavesOthersDisksAlone(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	n := node(func(n *ingot.Node) {
		n.UUID, n.ParentNode, n.DriverInfo = uuid.NewString(), p.a, nil
		n.Properties = map[string]any{"cpus": 1.0, "memory_mb": 64.0, "local_gb": 1.0}
	})
	here := p.at(n, p.a)
	require.NoError(t, here.DefineGuest(ctx, p.ports()))
	for _, host := range []string{p.a, p.b} {
		makeVolume(t, p.known[host].URI, "data")
	}
	others := filepath.Join(p.daemons[p.b].Dir, "pool", "data")
	require.NoError(t, os.WriteFile(others, []byte("somebody else's"), 0o600))
	vendor := here.Machine.(ingot.Vendor)
	_, err := vendor.CallVendor(ctx, "attach_disk", map[string]any{"volume": "data"})
	require.NoError(t, err)

	stays := "guest " + n.UUID + " has disk data plugged in (vdb), which is not its own: detach it first"
	require.Equal(t, stays, here.see(t).Stays)
	for _, live := range []bool{false, true} {
		err = p.sent(n, ingot.GuestMove{To: p.b, Key: uuid.NewString(), Ports: p.ports(), Live: live})
		require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, stays)
	}
	require.ErrorContains(t, here.Machine.(ingot.GuestExporter).CanExport(ctx), stays)
	require.NoError(t, p.at(n, p.b).RetireGuest(ctx), "as a move that was broken off ends")
	left, err := os.ReadFile(others)
	require.NoError(t, err)
	require.Equal(t, "somebody else's", string(left))

	_, err = vendor.CallVendor(ctx, "detach_disk", map[string]any{"volume": "data"})
	require.NoError(t, err)
	there := p.known[p.b]
	there.Pools = []ingot.StoragePool{{Name: "shared", Shared: true, Formats: []string{"raw"}}}
	p.known[p.b] = there
	cold := ingot.GuestMove{To: p.b, Key: uuid.NewString(), Ports: p.ports()}
	require.ErrorContains(t, p.sent(n, cold), "is "+n.UUID+".qcow2, and pool shared of compute host "+p.b+" would have it as "+n.UUID+".raw")
	there.Pools = []ingot.StoragePool{{Name: "shared", Shared: true}, {Name: "default"}}
	p.known[p.b] = there
	require.NoError(t, p.sent(n, cold))
	require.NoError(t, here.RetireGuest(ctx))
	require.True(t, p.at(n, p.b).see(t).Disk, "it was in a pool of the old host alone")
	require.NoError(t, p.at(n, p.b).RemoveGuest(ctx))
}

// TestLiveMoveNeedsNoCache: a guest that began with its host's page cache before its disk, when other hosts had the disk not yet,
// is moved live only after it was off.
func TestLiveMoveNeedsNoCache(t *testing.T) {
	p := newPair(t)
	ctx := t.Context()
	n := node(func(n *ingot.Node) {
		n.UUID, n.ParentNode, n.DriverInfo = uuid.NewString(), p.a, map[string]any{"pool": "shared"}
		n.Properties = map[string]any{"cpus": 1.0, "memory_mb": 64.0, "local_gb": 1.0}
	})
	share := func(shared bool) {
		for _, host := range []string{p.a, p.b} {
			h := p.known[host]
			h.Pools = []ingot.StoragePool{{Name: "default"}, {Name: "shared", Shared: shared}}
			p.known[host] = h
		}
	}
	share(false)
	m := p.at(n, p.a)
	require.NoError(t, m.DefineGuest(ctx, p.ports()))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	require.NotContains(t, domainText(t, p.known[p.a].URI, n.UUID), "cache=")
	share(true)
	live := ingot.GuestMove{To: p.b, Key: "first", Ports: p.ports(), Live: true}
	err := p.sent(n, live)
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "runs with its host's page cache before disk "+n.UUID+".qcow2")
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	require.Contains(t, domainText(t, p.known[p.a].URI, n.UUID), "<driver name='qemu' type='qcow2' cache='none' discard='unmap'/>")
	live.Key = "second"
	require.NoError(t, p.sent(n, live))
	require.True(t, p.at(n, p.b).see(t).Runs())
	require.NoError(t, p.at(n, p.b).RemoveGuest(ctx))
}

// sent asks until a move has ended.
func (p *pair) sent(n *ingot.Node, move ingot.GuestMove) (err error) {
	p.t.Helper()
	soon(p.t, "the move ends", func() bool {
		err = p.at(n, p.a).SendGuest(p.t.Context(), move)
		return ingot.CodeOf(err) != ingot.Unavailable
	})
	return err
}
