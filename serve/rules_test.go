package serve

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

func TestBuiltInRules(t *testing.T) {
	t.Parallel()
	read := func(text string) ([]ingot.InspectionRule, error) {
		path := filepath.Join(t.TempDir(), "rules.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return builtInRules(path)
	}
	rules, err := read(`
- description: big machines
  priority: -5
  conditions:
    - op: gt
      args: {values: ["{inventory[memory][physical_mb]}", 4096], force_strings: true}
  actions:
    - op: set-attribute
      args: {path: resource_class, value: big}
`)
	require.NoError(t, err)
	require.Equal(t, []ingot.InspectionRule{{
		UUID: "00000000-0000-0000-0000-000000000000", Description: "big machines", Priority: -5, Phase: "main",
		Conditions: []map[string]any{{"op": "gt", "args": map[string]any{"values": []any{"{inventory[memory][physical_mb]}", 4096.0}, "force_strings": true}}},
		Actions:    []map[string]any{{"op": "set-attribute", "args": map[string]any{"path": "resource_class", "value": "big"}}},
	}}, rules)
	for text, complaint := range map[string]string{
		"- {actions: [{op: explode, args: {}}]}":              "cannot use rule 1 of ",
		"- {actions: [{op: fail, args: {msg: no}}], nope: 1}": `unknown field "nope"`,
		"actions: []": "cannot unmarshal object",
		"- [":         "cannot read the built-in inspection rules of ",
		"- {phase: early, actions: [{op: fail, args: {msg: no}}]}":     "Invalid phase: early",
		"- {actions: [{op: fail, args: {msg: no}}], priority: [1, 2]}": "cannot unmarshal array",
	} {
		_, err := read(text)
		require.ErrorContains(t, err, complaint, text)
	}
	_, err = builtInRules(filepath.Join(t.TempDir(), "nothing"))
	require.ErrorIs(t, err, os.ErrNotExist)
	none, err := builtInRules("")
	require.NoError(t, err)
	require.Empty(t, none)
}
