package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// newHost makes an active node a compute host that has as much of each resource.
func newHost(t testing.TB, s *store.Store, name string, totals ingot.Amounts) ingot.Hypervisor {
	t.Helper()
	n := ingot.Node{Name: name, Driver: "fake-hardware", ProvisionState: ingot.Active}
	require.NoError(t, s.CreateNode(context.Background(), &n, nil))
	h := ingot.Hypervisor{
		NodeUUID: n.UUID, Type: "libvirt", URI: "qemu:///system", OnHostFailure: ingot.FailureNone, State: ingot.HypervisorUp,
		Facts: ingot.HostFacts{HostUUID: uuid.NewString(), Totals: totals},
	}
	require.NoError(t, s.Hypervisors().Create(context.Background(), &h))
	return h
}

// newGuest makes a guest that has so many processors and as many gigabytes of memory.
func newGuest(s *store.Store, host string, size int64, group string) (ingot.Node, error) {
	n := ingot.Node{Driver: ingot.GuestDriver, ParentNode: host, ProvisionState: ingot.Enroll}
	err := s.CreateGuest(context.Background(), &n, nil, ingot.GuestClaim{
		Resources: ingot.Amounts{ingot.VCPU: size, ingot.MemoryMB: size * 1024}, Group: group,
	})
	return n, err
}

func used(t require.TestingT, s *store.Store, host string) map[ingot.Resource]int64 {
	found, err := s.Capacities(context.Background(), host)
	require.NoError(t, err)
	out := map[ingot.Resource]int64{}
	for _, c := range found {
		out[c.Resource] = c.Used
	}
	return out
}

func TestHypervisors(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		host := newHost(t, s, "host", nil)
		found, err := s.Capacities(ctx, host.NodeUUID)
		require.NoError(t, err)
		require.Empty(t, found, "nothing is known of it yet")
		_, err = newGuest(s, host.NodeUUID, 1, "")
		refused(t, err, ingot.Invalid, "Node %s is no compute host of which it is known what DISK_GB it has.", host.NodeUUID)

		got, err := s.Hypervisors().Change(ctx, host.NodeUUID, 0, func(h *ingot.Hypervisor) error {
			h.Facts.Totals = ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 8192, ingot.DiskGB: 100}
			h.Facts.Unmanaged = []ingot.UnmanagedDomain{{Name: "build", Uses: ingot.Amounts{ingot.MemoryMB: 1024}}}
			h.State = ingot.HypervisorDegraded
			return nil
		})
		require.NoError(t, err)
		require.EqualValues(t, 1, got.Version, "what is found is no new generation")
		got, err = s.Hypervisors().Change(ctx, host.NodeUUID, 1, func(h *ingot.Hypervisor) error {
			h.Ratios, h.Reserved = ingot.Amounts{ingot.VCPU: 2500}, ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 512}
			h.Pools = []ingot.StoragePool{{Name: "default", Resource: ingot.DiskGB, Formats: []string{"qcow2"}}}
			h.Networks = []ingot.GuestNetwork{{PhysicalNetwork: "physnet1", Bridge: "br0", VLAN: true}}
			h.CPU = ingot.GuestCPU{Mode: "host-model", Disable: []string{"svm"}}
			return nil
		})
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Version)
		again, err := s.Hypervisors().Get(ctx, host.NodeUUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(got, again))
		found, err = s.Capacities(ctx, host.NodeUUID)
		require.NoError(t, err)
		require.Equal(t, []ingot.Capacity{
			{Host: host.NodeUUID, Resource: ingot.DiskGB, Total: 100, Ratio: 1000, MaxUnit: 100, StepSize: 1},
			{Host: host.NodeUUID, Resource: ingot.MemoryMB, Total: 8192, Reserved: 1536, Ratio: 1000, MaxUnit: 8192, StepSize: 1},
			{Host: host.NodeUUID, Resource: ingot.VCPU, Total: 4, Reserved: 1, Ratio: 2500, MaxUnit: 4, StepSize: 1},
		}, found)

		second := ingot.Node{Driver: "fake-hardware", ProvisionState: ingot.Active}
		require.NoError(t, s.CreateNode(ctx, &second, nil))
		refused(t, s.Hypervisors().Create(ctx, &ingot.Hypervisor{NodeUUID: second.UUID, Facts: host.Facts}), ingot.Conflict,
			"The machine with libvirt's host UUID %s is a compute host already. It is node %s.", host.Facts.HostUUID, host.NodeUUID)
		refused(t, s.Hypervisors().Create(ctx, &ingot.Hypervisor{NodeUUID: host.NodeUUID}), ingot.Conflict, "Node %s is a compute host already.", host.NodeUUID)
	})
}

// TestGuestsHost: a claim comes and goes with its guest, and the host stays while it has guests.
func TestGuestsHost(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		host := newHost(t, s, "host", ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 3072, ingot.DiskGB: 0})
		guest, err := newGuest(s, host.NodeUUID, 2, "web")
		require.NoError(t, err)
		require.Equal(t, map[ingot.Resource]int64{ingot.VCPU: 2, ingot.MemoryMB: 2048, ingot.DiskGB: 0}, used(t, s, host.NodeUUID))
		_, err = newGuest(s, host.NodeUUID, 2, "")
		refused(t, err, ingot.Conflict, "compute host %s lacks MEMORY_MB: asked 2048, free 1024 (capacity 3072, used 2048)", host.NodeUUID)
		_, err = newGuest(s, host.NodeUUID, 5, "")
		refused(t, err, ingot.Conflict, "compute host %s lacks MEMORY_MB: asked 5120, but one guest may have 3072 at most (capacity 3072, used 2048)", host.NodeUUID)
		_, err = newGuest(s, host.NodeUUID, 1, "web")
		refused(t, err, ingot.Conflict, "compute host %s has another guest of anti-affinity group web", host.NodeUUID)
		all, err := s.ListNodes(ctx, ingot.NodeQuery{ParentNode: host.NodeUUID})
		require.NoError(t, err)
		require.Len(t, all, 1, "what is refused leaves nothing")
		require.EqualValues(t, 2, used(t, s, host.NodeUUID)[ingot.VCPU], "nothing at all")
		claims, err := s.Claims(ctx, host.NodeUUID)
		require.NoError(t, err)
		require.Len(t, claims, 3)
		hosts, err := s.ComputeHosts(ctx)
		require.NoError(t, err)
		require.Len(t, hosts, 1)
		require.Equal(t, []string{"web"}, hosts[0].Groups)
		require.Len(t, hosts[0].Capacities, 3)
		require.Equal(t, "host", hosts[0].Node.Name)

		refused(t, s.Hypervisors().Delete(ctx, host.NodeUUID, 0), ingot.Conflict, "Node %s is the compute host of node %s; delete or move them first.", host.NodeUUID, guest.UUID)
		refused(t, s.DeleteNode(ctx, host.NodeUUID, 0), ingot.Conflict, "Node %s is the parent of node %s; delete them first.", host.NodeUUID, guest.UUID)
		_, err = s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindDelete, NodeUUID: host.NodeUUID}})
		refused(t, err, ingot.Conflict, "The operation delete can not be performed on node %s while it is the compute host of node %s.", host.NodeUUID, guest.UUID)
		require.NoError(t, s.DeleteNode(ctx, guest.UUID, 0))
		require.EqualValues(t, 0, used(t, s, host.NodeUUID)[ingot.MemoryMB])
		_, err = newGuest(s, host.NodeUUID, 3, "web")
		require.NoError(t, err, "the group has let go of the host too")
	})
}

// TestHostIsDeleted: a node that is a compute host without guests can be deleted.
func TestHostIsDeleted(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		host := newHost(t, s, "host", ingot.Amounts{ingot.VCPU: 4})
		require.NoError(t, s.DeleteNode(ctx, host.NodeUUID, 0))
		_, err := s.Hypervisors().Get(ctx, host.NodeUUID)
		refused(t, err, ingot.NotFound, "Hypervisor of node %s could not be found.", host.NodeUUID)
	})
}

// TestGuestsNeverOvercommit: of 64 that ask at once for 10 places, 10 get one.
func TestGuestsNeverOvercommit(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		host := newHost(t, s, "host", ingot.Amounts{ingot.VCPU: 5, ingot.MemoryMB: 64 * 1024, ingot.DiskGB: 1})
		_, err := s.Hypervisors().Change(context.Background(), host.NodeUUID, 0, func(h *ingot.Hypervisor) error {
			h.Ratios = ingot.Amounts{ingot.VCPU: 2000}
			return nil
		})
		require.NoError(t, err)
		var made atomic.Int64
		parallel(64, func(int) {
			_, err := newGuest(s, host.NodeUUID, 1, "")
			switch ingot.CodeOf(err) {
			case "":
				made.Add(1)
			case ingot.Conflict:
			default:
				t.Errorf("an unexpected error: %v", err)
			}
		})
		require.EqualValues(t, 10, made.Load())
		require.Equal(t, map[ingot.Resource]int64{ingot.VCPU: 10, ingot.MemoryMB: 10240, ingot.DiskGB: 0}, used(t, s, host.NodeUUID))
	})
}

// TestAntiAffinityUnderRace: of many that ask at once, each host gets one of the group.
func TestAntiAffinityUnderRace(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		var hosts []string
		for i := range 3 {
			hosts = append(hosts, newHost(t, s, fmt.Sprintf("host-%d", i), ingot.Amounts{ingot.VCPU: 100, ingot.MemoryMB: 1 << 20}).NodeUUID)
		}
		var made atomic.Int64
		parallel(24, func(i int) {
			_, err := newGuest(s, hosts[i%3], 1, "db")
			switch ingot.CodeOf(err) {
			case "":
				made.Add(1)
			case ingot.Conflict:
			default:
				t.Errorf("an unexpected error: %v", err)
			}
		})
		require.EqualValues(t, 3, made.Load())
		for _, host := range hosts {
			require.EqualValues(t, 1, used(t, s, host)[ingot.VCPU])
		}
	})
}

// claimers is the property test of claims: whatever comes and goes, what is used is what guests have, and fits.
type claimers struct {
	t      testing.TB
	store  *store.Store
	hosts  []string
	guests map[string]ingot.Node
	sizes  map[string]int64
	room   map[string]int64
}

func (c *claimers) Create(t *rapid.T) {
	host, size := rapid.SampledFrom(c.hosts).Draw(t, "host"), rapid.Int64Range(0, 5).Draw(t, "size")
	guest, err := newGuest(c.store, host, size, "")
	fits := size == 0 || size <= 4 && c.taken(host)+size <= c.room[host]
	if !fits {
		require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
		return
	}
	require.NoError(t, err)
	c.guests[guest.UUID], c.sizes[guest.UUID] = guest, size
}

func (c *claimers) Delete(t *rapid.T) {
	if len(c.guests) == 0 {
		t.Skip("there is none")
	}
	var ids []string
	for id := range c.guests {
		ids = append(ids, id)
	}
	id := rapid.SampledFrom(ids).Draw(t, "guest")
	require.NoError(t, c.store.DeleteNode(context.Background(), id, 0))
	delete(c.guests, id)
}

// Shrink is an operator who changes the ratio, also to less than is used.
func (c *claimers) Shrink(t *rapid.T) {
	host, ratio := rapid.SampledFrom(c.hosts).Draw(t, "host"), rapid.Int64Range(500, 3000).Draw(t, "ratio")
	_, err := c.store.Hypervisors().Change(context.Background(), host, 0, func(h *ingot.Hypervisor) error {
		h.Ratios = ingot.Amounts{ingot.VCPU: ratio}
		return nil
	})
	require.NoError(t, err)
	c.room[host] = 4 * ratio / 1000
}

func (c *claimers) taken(host string) (sum int64) {
	for id, guest := range c.guests {
		if guest.ParentNode == host {
			sum += c.sizes[id]
		}
	}
	return sum
}

func (c *claimers) Check(t *rapid.T) {
	for _, host := range c.hosts {
		sum := int64(0)
		claims, err := c.store.Claims(context.Background(), host)
		require.NoError(t, err)
		for _, claim := range claims {
			if claim.Resource == ingot.VCPU {
				sum += claim.Amount
			}
		}
		require.Equal(t, c.taken(host), sum)
		require.Equal(t, sum, used(t, c.store, host)[ingot.VCPU])
	}
}

func TestClaimsOfGuests(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		round := 0
		rapid.Check(t, func(r *rapid.T) {
			c := &claimers{t: t, store: s, guests: map[string]ingot.Node{}, sizes: map[string]int64{}, room: map[string]int64{}}
			for i := range 2 {
				round++
				host := newHost(t, s, fmt.Sprintf("host-%d-%d", round, i), ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 1 << 30}).NodeUUID
				c.hosts, c.room[host] = append(c.hosts, host), 4
			}
			r.Repeat(rapid.StateMachineActions(c))
		})
		faults, err := s.ClaimFaults(context.Background())
		require.NoError(t, err)
		require.Empty(t, faults)
	})
}
