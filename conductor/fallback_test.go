package conductor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// guestMachines are the world's machines; those of guests can be done away with, and do not work on bad hosts.
type guestMachines struct {
	machines
	mu         *sync.Mutex
	bad, stuck map[string]bool
}

func (m guestMachines) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	machine, key, err := m.machines.Machine(n)
	if n.IsGuest() {
		m.mu.Lock()
		defer m.mu.Unlock()
		return guestMachine{machine, m.w, m.bad[n.ParentNode], m.stuck[n.ParentNode]}, key, err
	}
	return machine, key, err
}

type guestMachine struct {
	ingot.Machine
	w          *world
	bad, stuck bool
}

func (g guestMachine) Unwrap() any { return g.Machine }

func (g guestMachine) PowerState(ctx context.Context) (ingot.PowerState, error) {
	if g.bad {
		return "", ingot.Fatalf("no bridge br0")
	}
	return g.Machine.PowerState(ctx)
}

func (g guestMachine) RemoveGuest(context.Context) error {
	if g.stuck {
		return ingot.Errorf(ingot.Unavailable, "no route to host")
	}
	g.w.note("remove guest")
	return nil
}

// virtual is a world with compute hosts that are up and a flavor for the class small; the bad ones cannot make guests.
func virtual(t *testing.T, hosts ...string) (*world, map[string]string, guestMachines) {
	t.Helper()
	w, p := newWorld(t), newProber()
	m := guestMachines{machines{w}, &sync.Mutex{}, map[string]bool{}, map[string]bool{}}
	ids := map[string]string{}
	for _, name := range hosts {
		ids[name] = w.computeHost(name, p)
		m.bad[ids[name]] = len(name) > 3 && name[:3] == "bad"
	}
	require.NoError(t, w.store.Flavors().Create(t.Context(), &ingot.Flavor{
		ResourceClass: "compute.small", Resources: ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 4096, ingot.DiskGB: 20},
		ProvidedTraits: []string{"CUSTOM_SMALL"}, FallbackFor: []string{"small"},
	}))
	w.prepare = func(c *conductor.Conductor) {
		withGuests(w, p)(c)
		c.Machines = m
	}
	w.start(nil)
	for _, id := range ids {
		w.hostIs(id, ingot.HypervisorUp)
	}
	return w, ids, m
}

func wish(fallback string, more ...any) map[string]any {
	placement := map[string]any{"fallback": fallback}
	for i := 0; i+1 < len(more); i += 2 {
		placement[more[i].(string)] = more[i+1]
	}
	return map[string]any{"placement": placement}
}

// TestAGuestIsNotHeldUp: each stage of its way follows at once, with no time for a pause.
func TestAGuestIsNotHeldUp(t *testing.T) {
	t.Parallel()
	w, ids, _ := virtual(t, "bad1", "host")
	w.kill()
	stands := time.Now()
	w.start(func(c *conductor.Conductor) { c.Now = func() time.Time { return stands } })
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("only-virtual")}).UUID)
	require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
	require.Equal(t, ids["host"], a.Result().Host)
}

// TestMetalComesFirst, and who does not ask for a guest gets none.
func TestMetalComesFirst(t *testing.T) {
	t.Parallel()
	w, hosts, _ := virtual(t, "host")
	metal := w.spare("small", "")
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual")}).UUID)
	require.Equal(t, []any{ingot.AllocationActive, metal.UUID}, []any{a.State, a.NodeUUID}, a.LastError)
	require.Equal(t, ingot.PlacementResult{Kind: "metal"}, a.Result())

	a = w.answered(w.allocate(ingot.Allocation{ResourceClass: "small"}).UUID)
	require.Equal(t, ingot.AllocationError, a.State)
	require.Equal(t, "Failed to process allocation "+a.UUID+": no available nodes match the resource class small.", a.LastError)
	require.Nil(t, a.Extra)

	a = w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual"), Owner: "tenant"}).UUID)
	require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
	require.Equal(t, ingot.PlacementResult{Kind: "virtual", Host: hosts["host"], Attempts: 1, Reason: "no available nodes match the resource class small"}, a.Result())
	guest := w.get(a.NodeUUID)
	require.Equal(t, []string{"libvirt", hosts["host"], "small", a.UUID, a.UUID, "tenant"},
		[]string{guest.Driver, guest.ParentNode, guest.ResourceClass, guest.InstanceUUID, guest.AllocationUUID, guest.Lessee})
	require.Equal(t, []string{"CUSTOM_SMALL", "CUSTOM_VIRTUAL"}, guest.Traits)
	require.True(t, guest.IsDynamic())

	// Who wants a guest whatever there is can ask for the trait, too.
	w.spare("small", "")
	a = w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual"), Traits: []string{"CUSTOM_VIRTUAL"}}).UUID)
	require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
	require.Equal(t, "virtual", a.Result().Kind)
}

// TestDynamicGuestsVanish on deleted, with their claim and their allocation.
func TestDynamicGuestsVanish(t *testing.T) {
	t.Parallel()
	w, hosts, _ := virtual(t, "host")
	w.spare("small", "")
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("only-virtual")}).UUID)
	require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
	require.Equal(t, "virtual", a.Result().Kind, "there is metal, but it was not asked for")
	guest := w.get(a.NodeUUID)
	w.change(guest.UUID, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	require.NoError(t, w.conductor().Provision(t.Context(), w.get(guest.UUID), ingot.ProvisionRequest{Verb: ingot.VerbDeleted}))
	require.Eventually(t, func() bool {
		_, err := w.store.Node(t.Context(), guest.UUID)
		return ingot.CodeOf(err) == ingot.NotFound
	}, 20*time.Second, 5*time.Millisecond)
	require.Equal(t, 1, w.count("remove guest"))
	_, err := w.store.Allocations().Get(t.Context(), a.UUID)
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	claims, err := w.store.Claims(t.Context(), hosts["host"])
	require.NoError(t, err)
	require.Empty(t, claims)
}

// TestAnotherHostIsTried when a guest cannot be made, and nothing is left on the first.
func TestAnotherHostIsTried(t *testing.T) {
	t.Parallel()
	w, hosts, m := virtual(t, "bad", "bad2")
	m.mu.Lock()
	m.bad[hosts["bad"]], m.bad[hosts["bad2"]] = true, true
	m.mu.Unlock()
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual", "flavor", "compute.small")}).UUID)
	require.Equal(t, ingot.AllocationError, a.State)
	require.Equal(t, "Failed to process allocation "+a.UUID+": no available nodes match the resource class small; virtual fallback compute.small: 2 hosts considered: 2 failed before.", a.LastError)
	require.Contains(t, a.Result().Reason, "no bridge br0")
	require.Equal(t, 2, a.Result().Attempts)
	for _, host := range hosts {
		claims, err := w.store.Claims(t.Context(), host)
		require.NoError(t, err)
		require.Empty(t, claims)
		require.Equal(t, 1, w.hostIs(host, ingot.HypervisorUp).Failures)
	}
	m.mu.Lock()
	m.bad[hosts["bad2"]] = false
	m.mu.Unlock()
	a = w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual")}).UUID)
	require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
	require.Equal(t, hosts["bad2"], a.Result().Host)
}

// TestALostHostHoldsNobodyUp: what cannot be done away with now goes when the host has come back.
func TestALostHostHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w, hosts, m := virtual(t, "host")
	host := hosts["host"]
	m.mu.Lock()
	m.bad[host], m.stuck[host] = true, true
	m.mu.Unlock()
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual")}).UUID)
	require.Equal(t, ingot.AllocationError, a.State)
	claims, err := w.store.Claims(t.Context(), host)
	require.NoError(t, err)
	require.Len(t, claims, 3, "its machine may be there")
	require.True(t, w.get(claims[0].Guest).Maintenance)
	m.mu.Lock()
	m.stuck[host] = false
	m.mu.Unlock()
	require.Eventually(t, func() bool {
		claims, err := w.store.Claims(t.Context(), host)
		return err == nil && len(claims) == 0
	}, 10*time.Second, 5*time.Millisecond)
}

// TestManyFallBackAtOnce: two hosts have room for four guests of the sixteen that are asked for.
func TestManyFallBackAtOnce(t *testing.T) {
	t.Parallel()
	w, hosts, _ := virtual(t, "one", "two")
	ids := make([]string, 16)
	for i := range ids {
		ids[i] = w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual")}).UUID
	}
	active := 0
	for _, id := range ids {
		a := w.answered(id)
		if a.State == ingot.AllocationActive {
			active++
			continue
		}
		require.Contains(t, a.LastError, "2 hosts considered:")
	}
	require.Equal(t, 4, active)
	for _, host := range hosts {
		capacities, err := w.store.Capacities(t.Context(), host)
		require.NoError(t, err)
		require.EqualValues(t, 8192, capacities[1].Used)
	}
}

// TestAntiAffinityOfAllocations: a group has one guest on a host.
func TestAntiAffinityOfAllocations(t *testing.T) {
	t.Parallel()
	w, _, _ := virtual(t, "one", "two")
	seen := map[string]bool{}
	for range 2 {
		a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual", "anti_affinity_group", "web")}).UUID)
		require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
		seen[a.Result().Host] = true
	}
	require.Len(t, seen, 2)
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual", "anti_affinity_group", "web")}).UUID)
	require.Contains(t, a.LastError, "2 hosts considered: 2 has a guest of group web")
}

// TestMetalIsWaitedFor, as long as was asked for.
func TestMetalIsWaitedFor(t *testing.T) {
	t.Parallel()
	w, _, _ := virtual(t, "host")
	a := w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual", "wait_seconds", 3600.0)})
	metal := w.spare("small", "")
	a = w.answered(a.UUID)
	require.Equal(t, []any{metal.UUID, "metal"}, []any{a.NodeUUID, a.Result().Kind})
	a = w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("virtual", "wait_seconds", 1.0)}).UUID)
	require.Equal(t, "virtual", a.Result().Kind)
	require.GreaterOrEqual(t, w.get(a.NodeUUID).CreatedAt.Sub(a.CreatedAt), time.Second)
}

// TestOneGuestForAnAllocation: conductors that look at an allocation at the same time begin one guest for it.
func TestOneGuestForAnAllocation(t *testing.T) {
	t.Parallel()
	w, _, _ := virtual(t, "one", "two")
	w.kill() // only this test looks, and nothing goes on
	for range 3 {
		w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("only-virtual")})
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				if _, err := w.conductor().Allocate(t.Context(), map[string]conductor.Tries{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	guests, err := w.store.ListNodes(t.Context(), ingot.NodeQuery{Driver: ingot.GuestDriver, IncludeChildren: true, Page: ingot.Page{Limit: -1}})
	require.NoError(t, err)
	waiting, err := w.store.Allocations().List(t.Context(), ingot.AllocationQuery{State: ingot.Allocating})
	require.NoError(t, err)
	require.Len(t, waiting, 3)
	require.Len(t, guests, 3, "there was room for four")
	for i := range waiting {
		require.Equal(t, 1, waiting[i].Result().Attempts)
	}
}

// networked gives a compute host networks.
func (w *world) networked(host string, names ...string) {
	w.t.Helper()
	_, err := w.store.Hypervisors().Change(w.t.Context(), host, 0, func(h *ingot.Hypervisor) error {
		h.Networks = nil
		for i, name := range names {
			h.Networks = append(h.Networks, ingot.GuestNetwork{PhysicalNetwork: name, Bridge: fmt.Sprint("br", i)})
		}
		return nil
	})
	require.NoError(w.t, err)
}

// TestGuestsOfAllocationsHaveCards: on the networks that were asked for, or on the first of the host that they came to.
func TestGuestsOfAllocationsHaveCards(t *testing.T) {
	t.Parallel()
	w, hosts, _ := virtual(t, "bad1", "host", "narrow")
	w.networked(hosts["bad1"], "elsewhere", "prod")
	w.networked(hosts["host"], "prod", "storage")
	w.networked(hosts["narrow"], "prod")
	addresses := map[string]bool{}
	for _, row := range []struct {
		wish map[string]any
		want []string
	}{
		{wish("only-virtual", "physical_networks", []any{"storage", "prod"}), []string{"storage", "prod"}},
		{wish("only-virtual", "physical_networks", []any{}), nil},
		{wish("only-virtual"), []string{"prod"}},
	} {
		a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: row.wish}).UUID)
		require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
		ports, err := w.store.ListPorts(t.Context(), ingot.PortQuery{NodeUUID: a.NodeUUID, Page: ingot.Page{Limit: -1}})
		require.NoError(t, err)
		var networks []string
		for _, p := range ports {
			networks = append(networks, p.PhysicalNetwork)
			require.Regexp(t, "^52:54:00:", p.Address)
			require.True(t, p.PXEEnabled)
			addresses[p.Address] = true
		}
		require.ElementsMatch(t, row.want, networks)
	}
	require.Len(t, addresses, 3)
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("only-virtual", "physical_networks", []any{"storage", "elsewhere"})}).UUID)
	require.Contains(t, a.LastError, "no network storage")
	require.Contains(t, a.LastError, "no network elsewhere")
}

// failed has a compute host on which a guest could not be made lately.
func (w *world) failed(host string) {
	w.t.Helper()
	_, err := w.store.Hypervisors().Change(w.t.Context(), host, 0, func(h *ingot.Hypervisor) error {
		h.Failures, h.FailedAt = 1, time.Now()
		return nil
	})
	require.NoError(w.t, err)
}

// TestTroubledHostsComeLast: nothing is placed where a guest could not be made while there is room elsewhere.
func TestTroubledHostsComeLast(t *testing.T) {
	t.Parallel()
	w, hosts, _ := virtual(t, "failing", "one", "two")
	w.failed(hosts["failing"])
	for i := range 5 { // each has room for two
		a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("only-virtual")}).UUID)
		require.Equal(t, ingot.AllocationActive, a.State, a.LastError)
		require.Equal(t, i == 4, a.Result().Host == hosts["failing"], "guest %d", i)
	}
	require.Eventually(t, func() bool { return w.hostIs(hosts["failing"], ingot.HypervisorUp).Failures == 0 }, 10*time.Second, 5*time.Millisecond,
		"one could be made there now")
}

// TestRawPoolsTakeNoImages: a guest that is to begin as an image is not placed where no disk can.
func TestRawPoolsTakeNoImages(t *testing.T) {
	t.Parallel()
	w, hosts, _ := virtual(t, "host")
	_, err := w.store.Hypervisors().Change(t.Context(), hosts["host"], 0, func(h *ingot.Hypervisor) error {
		h.Pools = []ingot.StoragePool{{Name: "lvm", Formats: []string{"raw"}}}
		return nil
	})
	require.NoError(t, err)
	w.kill()
	w.start(func(c *conductor.Conductor) { c.Guests.Interfaces.Deploy = "libvirt-image" })
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small", Extra: wish("only-virtual")}).UUID)
	require.Contains(t, a.LastError, "1 host considered: 1 no qcow2 disks (pool lvm has raw)")
}
