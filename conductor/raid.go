package conductor

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/ingot-metal/ingot"
)

// raidSchema is what Ironic allows as a RAID configuration, each property with its sentence for people.
//
//go:embed raid.json
var raidSchema []byte

// SetRAID stores the RAID configuration that the node is to get (Ironic: PUT states/raid), which the raid steps of
// cleaning and deploying read. An empty one is always taken.
func (c *Conductor) SetRAID(ctx context.Context, node ingot.Node, target map[string]any) error {
	if err := c.free(&node); err != nil {
		return err
	}
	if len(target) > 0 {
		if without(&node, "raid") {
			return unsupported(&node, "raid")
		}
		if err := validRAID(target); err != nil {
			return err
		}
	}
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: node.UUID, Version: node.Version,
		Change: func(n *ingot.Node) error { n.TargetRAIDConfig = target; return nil },
		Events: []ingot.Event{{Type: "node.updated", Node: node.UUID}},
	})
	return err
}

// RAIDProperties are the properties of a logical disk, each with its sentence (Ironic: raid/logical_disk_properties).
func (c *Conductor) RAIDProperties() (map[string]string, error) {
	var schema struct {
		Properties struct {
			Disks struct {
				Items struct {
					Properties map[string]struct{ Description string }
				}
			} `json:"logical_disks"`
		}
	}
	if err := json.Unmarshal(raidSchema, &schema); err != nil {
		return nil, err
	}
	sentences := map[string]string{}
	for name, p := range schema.Properties.Disks.Items.Properties {
		sentences[name] = p.Description
	}
	return sentences, nil
}

// validRAID refuses a configuration that Ironic's schema does not allow, or with two root volumes.
func validRAID(config map[string]any) error {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raidSchema))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("raid.json", document); err != nil {
		return err
	}
	schema, err := compiler.Compile("raid.json")
	if err != nil {
		return err
	}
	var wrong *jsonschema.ValidationError
	if err := schema.Validate(map[string]any(config)); errors.As(err, &wrong) {
		return ingot.Errorf(ingot.Invalid, "RAID config validation error: %s", sentenceOf(wrong, config))
	} else if err != nil {
		return err
	}
	roots := 0
	disks, _ := config["logical_disks"].([]any)
	for _, d := range disks {
		if disk, _ := d.(map[string]any); disk["is_root_volume"] == true {
			roots++
		}
	}
	if roots > 1 {
		return ingot.Errorf(ingot.Invalid, "Raid config cannot have more than one root volume. %d root volumes were specified", roots)
	}
	return nil
}

// sentenceOf is a schema's complaint in the words of Python's jsonschema, which Ironic passes on.
func sentenceOf(wrong *jsonschema.ValidationError, config any) string {
	value := at(config, wrong.InstanceLocation)
	switch k := wrong.ErrorKind.(type) {
	case *kind.Required:
		return quoted(k.Missing[0]) + " is a required property"
	case *kind.AdditionalProperties:
		names := make([]string, len(k.Properties))
		for i, name := range k.Properties {
			names[i] = quoted(name)
		}
		verb := "was"
		if len(names) > 1 {
			verb = "were"
		}
		return fmt.Sprintf("Additional properties are not allowed (%s %s unexpected)", strings.Join(names, ", "), verb)
	case *kind.Enum:
		return fmt.Sprintf("%s is not one of %s", quoted(value), quoted(k.Want))
	case *kind.Type:
		return fmt.Sprintf("%s is not of type %s", quoted(value), quoted(k.Want[0]))
	case *kind.AnyOf:
		return quoted(value) + " is not valid under any of the given schemas"
	case *kind.Dependency:
		return fmt.Sprintf("%s is a dependency of %s", quoted(k.Missing[0]), quoted(k.Prop))
	case *kind.MinItems:
		return quoted(value) + " is too short"
	}
	if len(wrong.Causes) > 0 {
		return sentenceOf(wrong.Causes[0], config)
	}
	return fmt.Sprintf("%s does not hold for %s", strings.Join(wrong.ErrorKind.KeywordPath(), "/"), quoted(value))
}

// at is the value at a place of a JSON document.
func at(v any, place []string) any {
	for _, key := range place {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(inner) {
				return nil
			}
			v = inner[i]
		}
	}
	return v
}

// quoted is a JSON value with single quotes, as Python shows it.
func quoted(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.NewReplacer(`"`, "'", ",", ", ", ":", ": ", "true", "True", "false", "False", "null", "None").Replace(string(text))
}
