package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/ingot-metal/ingot"
)

// builtInRule is an inspection rule as an operator's file has it (Ironic: [inspection_rules]built_in_rules).
type builtInRule struct {
	UUID        string           `json:"uuid"`
	Description string           `json:"description"`
	Priority    int              `json:"priority"`
	Phase       string           `json:"phase"`
	Sensitive   bool             `json:"sensitive"`
	Conditions  []map[string]any `json:"conditions"`
	Actions     []map[string]any `json:"actions"`
}

// builtInRules reads the inspection rules of a YAML file, a list; "" has none. A rule without a UUID gets one by its place,
// as in Ironic, for the errors that name it.
func builtInRules(path string) ([]ingot.InspectionRule, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the built-in inspection rules: %w", err)
	}
	var listed []builtInRule
	if err := asJSON(data, &listed); err != nil {
		return nil, fmt.Errorf("cannot read the built-in inspection rules of %s: %w", path, err)
	}
	rules := make([]ingot.InspectionRule, len(listed))
	for i, b := range listed {
		if b.UUID == "" {
			b.UUID = fmt.Sprintf("00000000-0000-0000-0000-%012x", i)
		}
		if b.Phase == "" {
			b.Phase = ingot.RulePhase
		}
		rules[i] = ingot.InspectionRule{
			UUID: b.UUID, Description: b.Description, Priority: b.Priority, Phase: b.Phase, Sensitive: b.Sensitive, Conditions: b.Conditions, Actions: b.Actions,
		}
		if err := rules[i].Check(true); err != nil {
			return nil, fmt.Errorf("cannot use rule %d of %s: %w", i+1, path, err)
		}
	}
	return rules, nil
}

// asJSON reads YAML the way JSON is read: numbers are float64, and a key that nobody knows is an error.
func asJSON(data []byte, into any) error {
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}
