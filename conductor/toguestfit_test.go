package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestToGuestIsRefused: what is known at once to be wrong takes nothing and changes nothing.
func TestToGuestIsRefused(t *testing.T) {
	h := turning(t, storetest.SQLite(t))
	w := h.w
	w.start(nil)
	require.NoError(t, w.store.Flavors().Create(t.Context(), &ingot.Flavor{ResourceClass: "tiny", Resources: ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 64, ingot.DiskGB: 1}}))
	require.NoError(t, w.store.Flavors().Create(t.Context(), &ingot.Flavor{ResourceClass: "giant", Resources: ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 64, ingot.DiskGB: 5000}}))
	require.NoError(t, w.store.Flavors().Create(t.Context(), &ingot.Flavor{ResourceClass: "legacy", BootMode: ingot.ModeBIOS, Resources: ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 64, ingot.DiskGB: 50}}))
	for _, c := range []struct {
		args   map[string]any
		spoil  func(*ingot.Node)
		code   ingot.Code
		reason string
	}{
		{map[string]any{"where": "here"}, nil, ingot.Invalid, "takes no argument where"},
		{map[string]any{"host": 5.0}, nil, ingot.Invalid, "argument host of step management.to_guest can not be 5"},
		{map[string]any{"host": "nobody"}, nil, ingot.Invalid, "nobody is no compute host"},
		{map[string]any{"flavor": "nothing"}, nil, ingot.Invalid, "there is no flavor nothing; there are: "},
		{map[string]any{"flavor": "tiny"}, nil, ingot.Conflict, "has local_gb 20, and flavor tiny a disk of 1 GB"},
		{map[string]any{"flavor": "giant", "host": h.hosts[0]}, nil, ingot.Conflict, "lacks DISK_GB (asked 5000, free 80)"},
		{map[string]any{"flavor": "legacy"}, nil, ingot.Conflict, "boots by uefi, and flavor legacy by bios"},
		{nil, func(n *ingot.Node) {
			n.ResourceClass, n.Properties = "none", map[string]any{"capabilities": "boot_mode:bios"}
		}, ingot.Invalid, "name one of"},
		{nil, func(n *ingot.Node) {
			n.ResourceClass, n.Properties = "none", map[string]any{"capabilities": "boot_mode:bios", "local_gb": 9000}
		}, ingot.Conflict, "no flavor has a disk of 9000 GB"},
		{nil, func(n *ingot.Node) { n.Properties = map[string]any{"local_gb": 20} }, ingot.Conflict, "says nowhere whether it boots by bios or uefi"},
		{nil, func(n *ingot.Node) {
			n.Properties = map[string]any{"cpu_arch": "aarch64", "capabilities": "boot_mode:uefi"}
		}, ingot.Conflict, "has cpu_arch aarch64"},
		{nil, func(n *ingot.Node) { n.Owner = "else" }, ingot.Conflict, "there are no compute hosts"},
		{nil, func(n *ingot.Node) { n.DisablePowerOff = true }, ingot.Conflict, "disable_power_off"},
		{nil, func(n *ingot.Node) { n.Interfaces.Deploy = "noop" }, ingot.Conflict, "an agent has to read its disk"},
		{nil, func(n *ingot.Node) { n.Interfaces.Boot = "ipxe" }, ingot.Invalid, ""},
		{nil, func(n *ingot.Node) { n.ProvisionState = ingot.Available }, ingot.Invalid, "can not be performed"},
		{nil, func(n *ingot.Node) { n.Maintenance = true }, ingot.Invalid, "maintenance"},
	} {
		before := w.get(h.metal)
		if c.spoil != nil {
			w.change(h.metal, c.spoil)
		}
		spoiled := w.get(h.metal)
		err := w.conductor().Provision(t.Context(), spoiled, toGuest(c.args))
		require.ErrorContains(t, err, c.reason)
		require.Equal(t, c.code, ingot.CodeOf(err), "%s: %v", c.reason, err)
		require.Equal(t, spoiled, w.get(h.metal))
		_, made := h.twin(t)
		require.False(t, made)
		w.change(h.metal, func(n *ingot.Node) { *n = before })
	}
	stranger := toGuest(map[string]any{"host": h.hosts[0]})
	stranger.Project = "stranger"
	err := w.conductor().Provision(t.Context(), w.get(h.metal), stranger)
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	require.ErrorContains(t, err, "there are: no other", "the hosts are another project's")
	both := toGuest(nil)
	both.ServiceSteps = append(both.ServiceSteps, stepsOf("power.reboot")...)
	require.ErrorContains(t, w.conductor().Provision(t.Context(), w.get(h.metal), both), "is a list of its own")
	host := w.get(h.hosts[0])
	require.Error(t, w.conductor().Provision(t.Context(), host, toGuest(nil)), "it is a compute host")
}

// TestToGuestTakesTheSmallestFlavor: where no flavor is for the server's class, the smallest that holds its disk will do.
func TestToGuestTakesTheSmallestFlavor(t *testing.T) {
	h := turning(t, storetest.SQLite(t))
	w := h.w
	for class, disk := range map[string]int64{"s": 10, "m": 30, "l": 60} {
		require.NoError(t, w.store.Flavors().Create(t.Context(), &ingot.Flavor{ResourceClass: class, Resources: ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 64, ingot.DiskGB: disk}}))
	}
	w.change(h.metal, func(n *ingot.Node) { n.ResourceClass, n.Properties["local_gb"] = "none", 25 })
	h.fails = ingot.Fatalf("enough")
	w.start(nil)
	w.request(h.metal, toGuest(map[string]any{"host": h.hosts[1]}))
	guest, there := h.twin(t)
	require.True(t, there)
	size, _ := ingot.Whole(guest.Properties["local_gb"])
	require.Equal(t, []any{int64(30), h.hosts[1]}, []any{size, guest.ParentNode})
	w.ended(h.metal)
}
