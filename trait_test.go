package ingot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

func TestValidTrait(t *testing.T) {
	for name, valid := range map[string]bool{
		"CUSTOM_GOLD": true, "CUSTOM_A_1": true, "HW_CPU_X86_VMX": true, "COMPUTE_ACCELERATORS": true, "STORAGE_DISK_SSD": true,
		"": false, "CUSTOM_": false, "CUSTOM_gold": false, "custom_gold": false, "HW_CPU_X86_VMXX": false, "HW_CPU": false,
		"HW_CPU_X86_VMX\nHW_CPU_X86_SVM": false, "CUSTOM_GOLD\n": false, "CUSTOM_" + strings.Repeat("A", 249): false,
	} {
		require.Equal(t, valid, ingot.ValidTrait(name), "%q", name)
	}
}

func TestInstanceTraits(t *testing.T) {
	n := ingot.Node{InstanceInfo: map[string]any{"traits": []any{"CUSTOM_B", "CUSTOM_A"}}}
	traits, ok := n.InstanceTraits()
	require.True(t, ok)
	require.Equal(t, []string{"CUSTOM_B"}, ingot.Missing(traits, []string{"CUSTOM_A"}))
	for _, bad := range []any{"CUSTOM_A", []any{1.0}, map[string]any{}} {
		_, ok := (&ingot.Node{InstanceInfo: map[string]any{"traits": bad}}).InstanceTraits()
		require.False(t, ok, "%v", bad)
	}
	require.Equal(t, []string{"A", "B"}, ingot.Traits([]string{"B", "A", "B"}))
}
