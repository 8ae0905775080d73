package conductor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// prober pretends to speak to compute hosts.
type prober struct {
	mu      sync.Mutex
	facts   map[string]ingot.HostFacts
	errs    map[string]error
	guests  map[string][]string
	forgot  []string
	changes chan string
	answers map[string]bool // though probes fail
}

func newProber() *prober {
	return &prober{facts: map[string]ingot.HostFacts{}, errs: map[string]error{}, guests: map[string][]string{}, changes: make(chan string, 1)}
}

func (p *prober) Check(*ingot.Hypervisor) error { return nil }

func (p *prober) Probe(_ context.Context, h ingot.Hypervisor, guests []string) (ingot.HostFacts, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.guests[h.NodeUUID] = guests
	return p.facts[h.NodeUUID], p.errs[h.NodeUUID]
}

func (p *prober) Answers(_ context.Context, h ingot.Hypervisor) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers[h.NodeUUID] {
		return nil
	}
	return p.errs[h.NodeUUID]
}

func (p *prober) Forget(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgot = append(p.forgot, host)
}

func (p *prober) Changes() <-chan string { return p.changes }

func (p *prober) says(host string, facts ingot.HostFacts, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.facts[host], p.errs[host] = facts, err
}

// withGuests gives a conductor compute hosts that are probed once an hour, and when they are woken.
func withGuests(w *world, p *prober) func(*conductor.Conductor) {
	return func(c *conductor.Conductor) {
		c.Allocations = w.store.Allocations()
		c.Guests = &conductor.Guests{
			Prober: p, Hosts: w.store.Hypervisors(), Store: w.store, Moves: w.store, Flavors: w.store.Flavors(), Every: time.Hour,
			Interfaces: ingot.Interfaces{Boot: "fake", Deploy: "fake", Inspect: "fake", Power: "fake", Management: "fake"},
		}
	}
}

func facts(id string) ingot.HostFacts {
	return ingot.HostFacts{HostUUID: id, Arch: "x86_64", UEFI: true, Totals: ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 8192, ingot.DiskGB: 100}}
}

// computeHost is an active node that has been made a compute host.
func (w *world) computeHost(name string, p *prober) string {
	w.t.Helper()
	n := w.node(ingot.Active, func(n *ingot.Node) { n.Name, n.PowerState = name, ingot.PowerOn })
	p.says(n.UUID, facts("host "+name), nil)
	h := ingot.Hypervisor{NodeUUID: n.UUID, Type: "libvirt", URI: "qemu:///system", State: ingot.HypervisorConnecting, OnHostFailure: ingot.FailureNone}
	h.Pools = []ingot.StoragePool{{Name: "default"}}
	require.NoError(w.t, w.store.Hypervisors().Create(w.t.Context(), &h))
	return n.UUID
}

// hostIs waits for a compute host to be in a state.
func (w *world) hostIs(host string, state ingot.HypervisorState) ingot.Hypervisor {
	w.t.Helper()
	var h ingot.Hypervisor
	require.Eventually(w.t, func() bool {
		var err error
		h, err = w.store.Hypervisors().Get(w.t.Context(), host)
		return err == nil && h.State == state
	}, 10*time.Second, time.Millisecond, "the host never was %s", state)
	return h
}

// TestHostsAreWatched: what probes find is recorded, and hints are followed.
func TestHostsAreWatched(t *testing.T) {
	w, p := newWorld(t), newProber()
	a := w.computeHost("a", p)
	guest := ingot.Node{Driver: ingot.GuestDriver, ParentNode: a, ProvisionState: ingot.Enroll}
	require.NoError(t, w.store.CreateNode(t.Context(), &guest, nil))
	dpu := ingot.Node{Driver: "fake-hardware", ParentNode: a, ProvisionState: ingot.Enroll}
	require.NoError(t, w.store.CreateNode(t.Context(), &dpu, nil))
	w.start(withGuests(w, p))
	h := w.hostIs(a, ingot.HypervisorUp)
	require.Equal(t, "host a", h.Facts.HostUUID)
	require.False(t, h.LastSeenAt.IsZero())
	require.Equal(t, []string{guest.UUID}, p.guests[a], "other children are no guests")
	capacities, err := w.store.Capacities(t.Context(), a)
	require.NoError(t, err)
	require.Len(t, capacities, 3)

	p.says(a, ingot.HostFacts{}, errors.New("no route to host"))
	p.changes <- a
	require.Equal(t, "no route to host", w.hostIs(a, ingot.HypervisorDegraded).StateReason)
	w.conductor().WakeHypervisor(a)
	w.conductor().WakeHypervisor(a)
	w.hostIs(a, ingot.HypervisorDown)
	p.says(a, facts("host a"), nil)
	w.conductor().WakeHypervisor(a)
	w.hostIs(a, ingot.HypervisorUp)

	twin := w.computeHost("twin", p)
	p.says(twin, facts("host a"), nil)
	w.conductor().WakeHypervisor(twin)
	require.Contains(t, w.hostIs(twin, ingot.HypervisorDown).StateReason, "is a compute host already. It is node "+a)

	require.NoError(t, w.store.Hypervisors().Delete(t.Context(), twin, 0))
	w.conductor().WakeHypervisor(twin)
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.forgot) == 1 && p.forgot[0] == twin
	}, 10*time.Second, time.Millisecond)
}

// TestAGuestDoesNotStartItsHost, unless the operator said so.
func TestAGuestDoesNotStartItsHost(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newProber()
	host := w.computeHost("a", p)
	w.change(host, func(n *ingot.Node) { n.PowerState = ingot.PowerOff })
	guest := w.node(ingot.Available, func(n *ingot.Node) { n.Driver, n.ParentNode = ingot.GuestDriver, host })
	w.start(withGuests(w, p))
	w.hostIs(host, ingot.HypervisorUp)
	require.NoError(t, w.conductor().SetPower(t.Context(), w.get(guest.UUID), ingot.TargetPowerOn, 0))
	require.Eventually(t, func() bool { return w.get(guest.UUID).LastError != "" }, 10*time.Second, time.Millisecond)
	require.Contains(t, w.get(guest.UUID).LastError, "its compute host node a ("+host+") is powered off")
	_, err := w.store.Hypervisors().Change(t.Context(), host, 0, func(h *ingot.Hypervisor) error { h.Autostart = true; return nil })
	require.NoError(t, err)
	require.NoError(t, w.conductor().SetPower(t.Context(), w.get(guest.UUID), ingot.TargetPowerOn, 0))
	require.Eventually(t, func() bool {
		return w.get(host).PowerState == ingot.PowerOn && w.get(guest.UUID).PowerState == ingot.PowerOn
	}, 20*time.Second, 10*time.Millisecond)
}
