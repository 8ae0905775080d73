package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestToMetalIsRefused: what is known at once to be wrong takes nothing and changes nothing.
func TestToMetalIsRefused(t *testing.T) {
	h := swap(t, storetest.SQLite(t))
	w := h.w
	w.start(nil)
	for _, c := range []struct {
		args   map[string]any
		spoil  func(*ingot.Node)
		code   ingot.Code
		reason string
	}{
		{map[string]any{"where": "here"}, nil, ingot.Invalid, "takes no argument where"},
		{map[string]any{"node": 5.0}, nil, ingot.Invalid, "argument node of step management.to_metal can not be 5"},
		{map[string]any{"traits": []any{1.0}}, nil, ingot.Invalid, "argument traits"},
		{map[string]any{"node": "nobody"}, nil, ingot.Invalid, "Node nobody could not be found."},
		{map[string]any{"node": h.guest}, nil, ingot.Conflict, "is no metal of its own"},
		{map[string]any{"resource_class": "huge"}, nil, ingot.Conflict, "no available node has resource class huge"},
		{map[string]any{"traits": []any{"CUSTOM_GPU"}}, nil, ingot.Conflict, "lacks traits CUSTOM_GPU"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.ProvisionState = ingot.Manageable }, ingot.Conflict, "is in state manageable, not available"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.Maintenance = true }, ingot.Conflict, "is in maintenance"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.Owner = "else" }, ingot.Conflict, "has another owner"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.ResourceClass = "other" }, ingot.Conflict, "asks for small"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.Properties = map[string]any{"local_gb": "10"} }, ingot.Conflict, "has local_gb 10, and the guest 20"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.Properties = map[string]any{"cpu_arch": "aarch64"} }, ingot.Conflict, "has cpu_arch aarch64, and the guest x86_64"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.Properties = map[string]any{"capabilities": "boot_mode:uefi"} }, ingot.Conflict, "boots by uefi, and the guest by bios"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.DisablePowerOff = true }, ingot.Conflict, "disable_power_off"},
		{map[string]any{"node": h.metal}, func(n *ingot.Node) { n.Interfaces.Deploy = "noop" }, ingot.Conflict, "an agent has to write its disk"},
	} {
		before := w.get(h.metal)
		if c.spoil != nil {
			w.change(h.metal, c.spoil)
		}
		err := w.conductor().Provision(t.Context(), w.get(h.guest), toMetal(c.args))
		require.ErrorContains(t, err, c.reason)
		require.Equal(t, c.code, ingot.CodeOf(err), "%v", err)
		require.Equal(t, ingot.Active, w.get(h.guest).ProvisionState)
		w.change(h.metal, func(n *ingot.Node) { *n = before })
	}
	both := toMetal(nil)
	both.ServiceSteps = append(both.ServiceSteps, stepsOf("power.reboot")...)
	require.ErrorContains(t, w.conductor().Provision(t.Context(), w.get(h.guest), both), "is a list of its own")
	metal := w.node(ingot.Active)
	require.ErrorContains(t, w.conductor().Provision(t.Context(), metal, toMetal(nil)), "is no guest")
}
