package conductor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
)

// cloud is what compute hosts really have of guests. It outlives conductors, and keeps what must never happen.
type cloud struct {
	machines
	mu     sync.Mutex
	copies map[string]map[string]*guestCopy // by guest and host
	shared bool                             // hosts have the same disks
	down   map[string]bool                  // hosts that do not answer
	dead   map[string]bool                  // and run nothing
	broken []string                         // two live copies
	began  int                              // transfers
	prober *prober
	// bmc is what a host's BMC says to everything; nil works.
	bmc error
	// cut tells of each host whose power was cut.
	cut      []string
	rebuilds bool // disks may be new
	// fails is how many transfers are to fail, clings how often a host is not cleared of what was there.
	fails, clings int
	slow          bool // transfers do not end
	stubborn      bool // no guest ends when it is asked
}

// guestCopy is a guest on a host.
type guestCopy struct {
	defined, on, halted, disk bool
	to                        string // where it is being sent
	left                      int    // looks until it is there
	stays                     string // why it cannot leave
}

// moves is a world with two compute hosts, a and b, and a guest that runs on a.
func moves(t *testing.T, s *store.Store, policy ...ingot.FailurePolicy) (w *world, c *cloud, guest ingot.Node, a, b string) {
	t.Helper()
	w = worldOn(t, s)
	p := newProber()
	owner := uuid.NewString()
	c = &cloud{prober: p, machines: machines{w}, copies: map[string]map[string]*guestCopy{}, down: map[string]bool{}, dead: map[string]bool{}}
	for _, host := range []*string{&a, &b} {
		*host = w.computeHost(uuid.NewString(), p)
		p.says(*host, facts("host "+*host), nil)
		w.change(*host, func(n *ingot.Node) { n.Owner, n.Driver = owner, "ipmi" })
		_, err := s.Hypervisors().Change(t.Context(), *host, 0, func(h *ingot.Hypervisor) error {
			h.Pools = []ingot.StoragePool{{Name: "default", Shared: true}}
			if len(policy) > 0 {
				h.OnHostFailure = policy[0]
			}
			h.Observe(ingot.Observation{Host: *host, URI: h.URI, Facts: new(facts("host " + *host))}, time.Now())
			return nil
		})
		require.NoError(t, err)
	}
	guest = ingot.Node{
		Driver: ingot.GuestDriver, ParentNode: a, Owner: owner, ProvisionState: ingot.Active, PowerState: ingot.PowerOn,
		Interfaces: ingot.Interfaces{Boot: "ipxe", Deploy: "libvirt-image", Power: "libvirt", Management: "libvirt"},
		Properties: map[string]any{"cpus": 2, "memory_mb": 4096, "local_gb": 20},
	}
	require.NoError(t, s.CreateGuest(t.Context(), &guest, nil, ingot.GuestClaim{Resources: ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 4096, ingot.DiskGB: 20}, Group: owner}))
	c.copies[guest.UUID] = map[string]*guestCopy{a: {defined: true, on: true, disk: true}, b: {disk: true}}
	w.prepare = func(live *conductor.Conductor) {
		withGuests(w, p)(live)
		live.Machines, live.Guests.LostAfter, live.ImageBytes = c, time.Millisecond, imagesThatAreThere{}
	}
	return w, c, guest, a, b
}

// Machine is a guest on the host that its node names.
func (c *cloud) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	if !n.IsGuest() {
		machine, key, err := c.machines.Machine(n)
		return hostMachine{machine, c, n.UUID}, key, err
	}
	return &cloudMachine{c, n.UUID, n.ParentNode}, "guest " + n.UUID, nil
}

// died is what becomes of transfers when the process that drives them ends: libvirt undoes them, or leaves the machine
// standing when all was sent.
func (c *cloud) died() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, hosts := range c.copies {
		for _, from := range hosts {
			if from.to == "" {
				continue
			}
			if !c.shared {
				hosts[from.to].disk = false
			}
			hosts[from.to].defined, hosts[from.to].on, hosts[from.to].halted = false, false, false
			from.halted, from.to = from.left <= 1, ""
		}
	}
}

// check counts the copies that run; call it with the lock held.
func (c *cloud) check(guest string) {
	running := 0
	for host, dead := range c.dead { // what had power there has none
		if copied := c.copies[guest][host]; dead && copied != nil {
			copied.on = false
		}
	}
	for host, copied := range c.copies[guest] {
		if copied.on && !copied.halted && !c.dead[host] {
			running++
		}
	}
	if running > 1 {
		c.broken = append(c.broken, fmt.Sprintf("%d copies of %s run", running, guest))
	}
}

// runsOn are the hosts on which the guest runs.
func (c *cloud) runsOn(guest string) (hosts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for host, copied := range c.copies[guest] {
		if copied.on && !copied.halted && !c.dead[host] {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// wrong is what must never have happened.
func (c *cloud) wrong() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.broken)
}

// cuts are the hosts whose power was cut.
func (c *cloud) cuts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.cut)
}

// has is what a host has of a guest.
func (c *cloud) has(guest, host string) guestCopy {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.copies[guest][host]
}

// cloudMachine is a guest as one host has it.
type cloudMachine struct {
	c           *cloud
	guest, host string
}

// with asks the host, if it answers.
func (m *cloudMachine) with(do func(here *guestCopy) error) error {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.c.down[m.host] {
		return ingot.Errorf(ingot.Unavailable, "no route to host")
	}
	here := m.c.copies[m.guest][m.host]
	if here == nil {
		here = &guestCopy{}
		m.c.copies[m.guest][m.host] = here
	}
	defer m.c.check(m.guest)
	return do(here)
}

func (m *cloudMachine) PowerState(context.Context) (power ingot.PowerState, err error) {
	err = m.with(func(here *guestCopy) error {
		power = ingot.PowerOff
		if here.on {
			power = ingot.PowerOn
		}
		if !here.defined {
			return ingot.Errorf(ingot.NotFound, "no domain")
		}
		return nil
	})
	return power, err
}

func (m *cloudMachine) SetPower(_ context.Context, action ingot.PowerAction) error {
	return m.with(func(here *guestCopy) error {
		if !here.defined || !here.disk {
			return ingot.Errorf(ingot.NotFound, "no domain")
		}
		m.c.w.note("guest %s", action)
		if action == ingot.ActionSoftOff && m.c.stubborn {
			return nil
		}
		here.on, here.halted = action == ingot.ActionOn, false
		return nil
	})
}

func (m *cloudMachine) BootDevice(context.Context) (ingot.BootSetting, error) {
	return ingot.BootSetting{}, nil
}
func (m *cloudMachine) SetBootDevice(context.Context, ingot.BootSetting) error { return nil }

func (m *cloudMachine) SeeGuest(context.Context) (s ingot.GuestSight, err error) {
	err = m.with(func(here *guestCopy) error {
		if here.to != "" {
			if !m.c.slow {
				here.left--
			}
			if here.left == 0 {
				there := m.c.copies[m.guest][here.to]
				*there = guestCopy{defined: true, on: true, disk: true}
				here.to, here.defined, here.on = "", false, false
			}
		}
		s = ingot.GuestSight{Defined: here.defined, Power: ingot.PowerOff, Halted: here.halted, Disk: here.disk, Stays: here.stays}
		if here.on {
			s.Power = ingot.PowerOn
		}
		if here.to != "" {
			s.Moving = "it is being moved"
		}
		return nil
	})
	return s, err
}

func (m *cloudMachine) SendGuest(_ context.Context, move ingot.GuestMove) error {
	return m.with(func(here *guestCopy) error {
		there := m.c.copies[m.guest][move.To]
		m.c.began++
		switch {
		case m.c.fails > 0:
			m.c.fails--
			return fmt.Errorf("the transfer failed")
		case !move.Live && here.on, move.Live && !here.on, there.on:
			m.c.broken = append(m.c.broken, "sent as it must not be")
		case move.Live:
			here.to, here.left = move.To, 3
			*there = guestCopy{on: true, halted: true, disk: true}
			return &ingot.Error{Code: ingot.Unavailable, After: time.Millisecond, Err: fmt.Errorf("it is on its way")}
		default:
			*there = guestCopy{defined: true, disk: true}
		}
		return nil
	})
}

func (m *cloudMachine) StopSending(context.Context) error {
	return m.with(func(here *guestCopy) error {
		if here.to != "" {
			*m.c.copies[m.guest][here.to] = guestCopy{disk: m.c.shared}
			here.to = ""
		}
		return nil
	})
}

func (m *cloudMachine) ResumeGuest(context.Context) error {
	return m.with(func(here *guestCopy) error { here.halted = false; return nil })
}

func (m *cloudMachine) RetireGuest(context.Context) error {
	return m.with(func(here *guestCopy) error {
		if m.c.clings--; m.c.clings >= 0 {
			return ingot.Errorf(ingot.Unavailable, "the volume is busy")
		}
		*here = guestCopy{disk: here.disk && m.c.shared}
		return nil
	})
}

// hostMachine is a compute host: without power it runs nothing.
type hostMachine struct {
	ingot.Machine
	c    *cloud
	host string
}

func (m hostMachine) Unwrap() any { return m.Machine }

func (m hostMachine) PowerState(ctx context.Context) (ingot.PowerState, error) {
	return seenUnless(ctx, &m.c.mu, &m.c.bmc, m.Machine)
}

func (m hostMachine) SetPower(ctx context.Context, action ingot.PowerAction) error {
	err := m.Machine.SetPower(ctx, action)
	if err == nil && action != ingot.ActionOn {
		m.c.mu.Lock()
		defer m.c.mu.Unlock()
		m.c.dead[m.host], m.c.down[m.host] = true, true
		if action == ingot.ActionOff {
			m.c.cut = append(m.c.cut, m.host)
		}
	}
	return err
}

// ends is a guest that ends without Ingot, on a host that answers or not.
func (c *cloud) ends(guest, host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copies[guest][host].on = false
}

// answers is a host whose libvirt can be asked about its guests, before a probe has found that out.
func (c *cloud) answers(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down[host], c.dead[host] = false, false
}

// lost is a host that does not answer any more, though all that it had may run on.
func (c *cloud) lost(host string) {
	c.mu.Lock()
	c.down[host] = true
	c.mu.Unlock()
	c.prober.says(host, ingot.HostFacts{}, errors.New("no route to host"))
	for range 3 {
		c.w.conductor().WakeHypervisor(host)
	}
	c.w.hostIs(host, ingot.HypervisorDown)
}

// back is a host that answers again, and lists what it has.
func (c *cloud) back(host string) {
	c.mu.Lock()
	c.down[host], c.dead[host] = false, false
	f := facts("host " + host)
	for guest, hosts := range c.copies {
		if hosts[host].defined {
			f.Unmanaged = append(f.Unmanaged, ingot.UnmanagedDomain{Name: "ingot-" + guest, UUID: guest})
		}
	}
	c.mu.Unlock()
	c.prober.says(host, f, nil)
	c.w.conductor().WakeHypervisor(host)
}

// The guest is made on its host.

func (m *cloudMachine) DefineGuest(context.Context, []ingot.Port) error {
	return m.with(func(here *guestCopy) error {
		if !here.disk && !m.c.rebuilds {
			m.c.broken = append(m.c.broken, "a blank disk in the place of the guest's")
		}
		here.defined, here.disk = true, true
		return nil
	})
}

func (m *cloudMachine) ImageDisk(_ context.Context, key string, _ ingot.GuestImage) error {
	return m.with(func(here *guestCopy) error {
		if here.on {
			m.c.broken = append(m.c.broken, "a new disk under a guest that runs")
		}
		m.c.w.note("image disk %s", key)
		return nil
	})
}

func (m *cloudMachine) BlankDisk(context.Context) error           { return errors.New("not asked for") }
func (m *cloudMachine) ConfigDrive(context.Context, []byte) error { return nil }
func (m *cloudMachine) RemoveGuest(context.Context) error         { return errors.New("not asked for") }
