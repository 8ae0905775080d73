package conductor_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// shapely are guests' machines that can be gone, grow and be kept, beside what fake ones can. They outlive conductors.
type shapely struct {
	machines
	prober   *prober
	with     func(*conductor.Conductor) // what a conductor needs to have them
	mu       sync.Mutex
	missing  bool
	silent   bool // the host does not answer
	stall    string
	looks    int
	kept     []ingot.Snapshot
	reverted []string // keys
	gib      int64
	memory   any // that the machine runs with
	cards    int
	unplug   error // why there are none
}

func (s *shapely) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	m, key, err := s.machines.Machine(n)
	return &shape{m, s, n}, key, err
}

type shape struct {
	ingot.Machine
	s *shapely
	n *ingot.Node
}

func (m *shape) Unwrap() any { return m.Machine }

func (m *shape) PowerState(ctx context.Context) (ingot.PowerState, error) {
	m.s.mu.Lock()
	missing, silent := m.s.missing, m.s.silent
	m.s.looks++
	m.s.mu.Unlock()
	switch {
	case missing:
		return "", &ingot.GuestMissing{Guest: m.n.UUID, Host: m.n.ParentNode}
	case silent:
		return "", ingot.Errorf(ingot.Unavailable, "connection refused")
	}
	return m.Machine.PowerState(ctx)
}

func (m *shape) DiskTrouble(context.Context) (string, error) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	return m.s.stall, nil
}

func (m *shape) InspectGuest(context.Context) (ingot.Inventory, error) {
	return ingot.Inventory{
		CPU: ingot.InventoryCPU{Count: 4, Architecture: "x86_64"}, Memory: ingot.InventoryMemory{PhysicalMB: 2048},
		Interfaces: []ingot.InventoryInterface{{MAC: "52:54:00:00:00:77", HasCarrier: true}}, Boot: ingot.InventoryBoot{CurrentMode: "uefi"},
	}, nil
}

func (m *shape) GrowDisk(_ context.Context, gib int64) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if gib < m.s.gib {
		return ingot.Errorf(ingot.Invalid, "disks do not shrink")
	}
	m.s.gib = gib
	return nil
}

func (m *shape) ReshapeGuest(ctx context.Context, _ []ingot.Port) (bool, error) {
	now, err := m.Machine.PowerState(ctx)
	wanted := m.n.Properties["memory_mb"]
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if now == ingot.PowerOff { // what starts next has it
		m.s.memory = wanted
	}
	return now == ingot.PowerOn && m.s.memory != wanted, err
}

func (m *shape) PlugPorts(_ context.Context, ports []ingot.Port) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.w.note("plugged")
	if m.s.unplug == nil {
		m.s.cards = len(ports)
	}
	return m.s.unplug
}

func (m *shape) Snapshots(context.Context) ([]ingot.Snapshot, error) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	return slices.Clone(m.s.kept), nil
}

// The same wish again is found by its key, as libvirt's driver does.

func (m *shape) CreateSnapshot(_ context.Context, name, key string) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	for _, s := range m.s.kept {
		if s.Name == name && s.Key == key {
			return nil
		}
		if s.Name == name {
			return ingot.Errorf(ingot.Invalid, "there is a snapshot named %s already", name)
		}
	}
	m.s.w.note("snapshot created")
	m.s.kept = append(m.s.kept, ingot.Snapshot{Name: name, Key: key})
	return nil
}

func (m *shape) RevertSnapshot(_ context.Context, _, key string) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if !slices.Contains(m.s.reverted, key) {
		m.s.w.note("snapshot reverted to")
		m.s.reverted = append(m.s.reverted, key)
	}
	return nil
}

func (m *shape) DeleteSnapshot(_ context.Context, name string) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if len(m.s.kept) == 0 {
		return ingot.Errorf(ingot.NotFound, "no snapshot %s", name)
	}
	m.s.w.note("snapshot deleted")
	m.s.kept = nil
	return nil
}

// guestWith is a service with a compute host of 4 processors, 8192 MiB and 100 GiB, and a guest there that is active.
func guestWith(t *testing.T, power ingot.PowerState) (*world, *shapely, ingot.Node) {
	t.Helper()
	w, p := newWorld(t), newProber()
	host := w.computeHost("a", p)
	s := &shapely{machines: machines{w}, prober: p}
	with := withGuests(w, p)
	s.with = func(c *conductor.Conductor) { with(c); c.Machines, c.Settings.PowerSync = s, time.Hour }
	w.start(s.with)
	w.hostIs(host, ingot.HypervisorUp)
	guest := w.node(ingot.Enroll) // whose interfaces are as these tests want them
	n := ingot.Node{
		Driver: ingot.GuestDriver, ParentNode: host, ProvisionState: ingot.Active, PowerState: power, Interfaces: guest.Interfaces,
		Properties: map[string]any{"cpus": 1.0, "memory_mb": 512.0, "local_gb": 10.0},
	}
	require.NoError(t, w.store.CreateGuest(t.Context(), &n, nil, ingot.GuestClaim{Resources: ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 512, ingot.DiskGB: 10}}))
	if power == ingot.PowerOn {
		w.switchBehind(n, ingot.ActionOn)
	}
	return w, s, w.get(n.UUID)
}

// used is what guests have of the node's host.
func (w *world) used(n ingot.Node) ingot.Amounts {
	w.t.Helper()
	all, err := w.store.Capacities(w.t.Context(), n.ParentNode)
	require.NoError(w.t, err)
	used := ingot.Amounts{}
	for _, c := range all {
		used[c.Resource] = c.Used
	}
	return used
}

// TestAGuestThatIsGone: the row and the claim stay, the fault says it, and it goes when the domain is there again.
func TestAGuestThatIsGone(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOff)
	s.missing = true
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	gone := w.get(n.UUID)
	require.True(t, gone.Maintenance)
	require.Equal(t, ingot.FaultGuest, gone.Fault)
	require.Contains(t, gone.MaintenanceReason, "has no domain "+n.UUID)
	require.Equal(t, ingot.Active, gone.ProvisionState)
	require.EqualValues(t, 10, w.used(n)[ingot.DiskGB])
	version := gone.Version
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	require.Equal(t, version, w.get(n.UUID).Version, "it is said once")
	s.missing = false
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	require.False(t, w.get(n.UUID).Maintenance)
	require.Equal(t, ingot.PowerOff, w.get(n.UUID).PowerState)
}

// TestAGuestThatStandsStill: a guest for whose disk there is no room has a fault and its reason, once, and is not in maintenance:
// it can be moved. With room the fault goes, and the reason with it.
func TestAGuestThatStandsStill(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOn)
	look := func(stall string) ingot.Node {
		s.mu.Lock()
		s.stall = stall
		s.mu.Unlock()
		require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
		return w.get(n.UUID)
	}
	still := look("its disk is full")
	require.Equal(t, ingot.FaultDisk, still.Fault)
	require.Equal(t, "the guest stands still: its disk is full", still.LastError)
	require.Equal(t, ingot.PowerOn, still.PowerState)
	require.False(t, still.Maintenance)
	require.Equal(t, still.Version, look("its disk is full").Version, "it is said once")
	told, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{})
	require.NoError(t, err)
	require.Equal(t, still.LastError, told[len(told)-1].Event)
	goes := look("")
	require.Empty(t, goes.Fault)
	require.Empty(t, goes.LastError)

	look("its disk is full")
	w.switchBehind(n, ingot.ActionOff)
	require.Empty(t, look("its disk is full").Fault, "what is off does not stand still")
}

// TestEventsOfGuests: what happens to a guest is on its row long before the next round of power sync.
func TestEventsOfGuests(t *testing.T) {
	t.Parallel()
	w, _, n := guestWith(t, ingot.PowerOff)
	w.switchBehind(n, ingot.ActionOn)
	w.conductor().GuestChanged(n.UUID)
	w.conductor().GuestChanged("nobody's")
	require.Eventually(t, func() bool { return w.get(n.UUID).PowerState == ingot.PowerOn }, 10*time.Second, 10*time.Millisecond)
}

// TestAGuestStopsAsItsUserWants: it is never started again for that, whatever becomes of machines, and its history says what
// happened, once.
func TestAGuestStopsAsItsUserWants(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOn)
	w.kill()
	w.start(func(c *conductor.Conductor) { s.with(c); c.Settings.ForcePower = true })
	w.switchBehind(n, ingot.ActionOff)
	for range 2 {
		require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
		require.Equal(t, ingot.PowerOff, w.get(n.UUID).PowerState)
		require.Empty(t, w.get(n.UUID).TargetPowerState)
	}
	require.Zero(t, w.count("power on"))
	told, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{})
	require.NoError(t, err)
	told = slices.DeleteFunc(told, func(h ingot.History) bool {
		return h.Event != "this guest's power changed without Ingot: power off (previously power on)"
	})
	require.Len(t, told, 1)
	require.Equal(t, "INFO", told[0].Severity)
}

// TestEventsOfASilentHost: looks that events bring and that fail, as while a libvirtd is started again, are no fault; those of
// power sync are.
func TestEventsOfASilentHost(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOn)
	s.mu.Lock()
	s.silent, s.looks = true, 0
	s.mu.Unlock()
	for i := range 5 {
		w.conductor().GuestChanged(n.UUID)
		require.Eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.looks > i }, 10*time.Second, 10*time.Millisecond)
	}
	require.False(t, w.get(n.UUID).Maintenance)
	failures := map[string]int{}
	for range 3 {
		require.NoError(t, w.conductor().SyncPower(t.Context(), failures))
	}
	require.Equal(t, ingot.FaultPower, w.get(n.UUID).Fault)
}

// serves has a service step carried out and gives the node at its end.
func (w *world) serves(n ingot.Node, name string, args map[string]any) ingot.Node {
	w.t.Helper()
	require.NoError(w.t, w.conductor().Provision(w.t.Context(), w.get(n.UUID), ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: []map[string]any{step("management", name, args)}}))
	return w.ended(n.UUID)
}

// serviceable brings a guest whose service failed back.
func (w *world) serviceable(n ingot.Node) {
	w.t.Helper()
	w.change(n.UUID, func(n *ingot.Node) { n.Maintenance, n.Fault = false, "" })
	w.ask(n.UUID, ingot.VerbAbort)
	w.until(n.UUID, ingot.Active)
}

// TestGuestsAreResized: claim and row change together, what there is no room for is refused, and a guest that ran runs.
func TestGuestsAreResized(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOn)
	end := w.serves(n, "disk_grow", map[string]any{"size_gb": 20.0})
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	require.EqualValues(t, 20, s.gib)
	require.EqualValues(t, 20, end.Properties["local_gb"])
	require.EqualValues(t, 20, w.used(n)[ingot.DiskGB])
	for says, size := range map[string]any{"do not shrink to 5": 5.0, "lacks DISK_GB: asked 101": 101.0, "give a whole number": "much"} {
		failed := w.serves(n, "disk_grow", map[string]any{"size_gb": size})
		require.Equal(t, ingot.ServiceFailed, failed.ProvisionState)
		require.Contains(t, failed.LastError, says)
		w.serviceable(n)
		require.EqualValues(t, 20, w.used(n)[ingot.DiskGB])
	}
	w.switchBehind(n, ingot.ActionOn)
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))

	for class, shape := range map[string]ingot.Amounts{"big": {ingot.VCPU: 2, ingot.MemoryMB: 1024, ingot.DiskGB: 30}, "flat": {ingot.VCPU: 1, ingot.MemoryMB: 512, ingot.DiskGB: 1}} {
		require.NoError(t, w.store.Flavors().Create(t.Context(), &ingot.Flavor{ResourceClass: class, Resources: shape}))
	}
	end = w.serves(n, "resize", map[string]any{"flavor": "big"})
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	require.Equal(t, "big", end.ResourceClass)
	require.EqualValues(t, 1024, s.memory, "it was switched off and on")
	require.Equal(t, ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 1024, ingot.DiskGB: 30}, w.used(n))
	require.Equal(t, ingot.PowerOn, end.PowerState)
	for says, class := range map[string]string{"disks do not shrink": "flat", `no flavor "none"`: "none"} {
		failed := w.serves(n, "resize", map[string]any{"flavor": class})
		require.Contains(t, failed.LastError, says)
		w.serviceable(n)
	}
	require.Equal(t, ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 1024, ingot.DiskGB: 30}, w.used(n))
}

// TestSnapshotsAreSteps of servicing, which need no ramdisk; nodes that cannot have them refuse at once.
func TestSnapshotsAreSteps(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOff)
	for _, name := range []string{"snapshot_create", "snapshot_revert", "snapshot_delete"} {
		end := w.serves(n, name, map[string]any{"name": "a"})
		require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
		require.Equal(t, map[bool]int{true: 0, false: 1}[name == "snapshot_delete"], len(s.kept), name)
	}
	failed := w.serves(n, "snapshot_delete", map[string]any{"name": "a"})
	require.Contains(t, failed.LastError, "no snapshot a")
	require.Zero(t, w.count("agent service.get_service_steps"), "%q", w.said())

	metal := w.node(ingot.Active, func(n *ingot.Node) { n.Interfaces.Management = "noop" })
	for _, args := range []map[string]any{{"name": "a"}, nil} {
		on := metal
		if args == nil {
			on = w.get(n.UUID)
			w.serviceable(n)
		}
		asked := step("management", "snapshot_create", maps.Clone(args))
		err := w.conductor().Provision(t.Context(), w.get(on.UUID), ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: []map[string]any{asked}})
		require.Error(t, err)
		require.Contains(t, []ingot.Code{ingot.Unsupported, ingot.Invalid}, ingot.CodeOf(err))
	}
}
