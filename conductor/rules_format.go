package conductor

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Text of rules with {node.uuid}, {inventory[cpu][count]}, {plugin_data[x]} or, in a loop, {item[key]} in it: Python's
// str.format as far as rules use it, without conversions and format specifications.

// errMissing says that a text names something that is not there.
var errMissing = errors.New("there is no such field")

// hiddenKeys are the keys whose values rules never see (Ironic: SENSITIVE_FIELDS, mask_secrets=always).
func hiddenKeys() []string { return []string{"password", "auth_token", "bmc_password"} }

// formatted are an operation's arguments with their texts filled in: those that its signature names and, in a loop, all.
func (u *ruling) formatted(op string, signature ingot.RuleOp, args map[string]any) map[string]any {
	out := make(map[string]any, len(args))
	for name, v := range args {
		if u.looping || slices.Contains(signature.Formatted, name) {
			v = u.fill(op, v)
		}
		out[name] = v
	}
	return out
}

// fill fills in every text of a value. One that cannot be filled in stays as it is, and the log says so; for is-empty, what
// is missing is nothing.
func (u *ruling) fill(op string, v any) any {
	switch v := v.(type) {
	case string:
		text, err := u.format(v)
		switch {
		case errors.Is(err, errMissing) && op == "is-empty":
			return nil
		case err != nil:
			u.r.c.Log.Warn("cannot fill in a text of an inspection rule; it stays as it is", "node", u.node.UUID, "text", v, "error", err)
			return v
		}
		if u.looping && text != v { // an item may have fields of its own
			if whole, err := u.format(text); err == nil {
				text = whole
			}
		}
		return text
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = u.fill(op, item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = u.fill(op, item)
		}
		return out
	}
	return v
}

func (u *ruling) format(text string) (string, error) {
	var b strings.Builder
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i])
		if i+1 < len(text) && text[i+1] == text[i] { // doubled braces stand for themselves
			b.WriteByte(text[i])
			text = text[i+2:]
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if text[i] == '}' || end < 0 {
			return "", fmt.Errorf("single %q in %q", text[i], text)
		}
		v, err := u.lookUp(text[i+1 : i+end])
		if err != nil {
			return "", err
		}
		b.WriteString(pythonText(v))
		text = text[i+end+1:]
	}
	return b.String(), nil
}

// lookUp finds what a field names: a name, and then ".attribute" and "[key]" in any order.
func (u *ruling) lookUp(field string) (any, error) {
	if strings.ContainsAny(field, "!:") {
		return nil, fmt.Errorf("%q has a conversion or a format, which rules here have not", field)
	}
	end := strings.IndexAny(field, ".[")
	if end < 0 {
		end = len(field)
	}
	var v any
	switch name := field[:end]; {
	case name == "node":
		v = u.nodeView()
	case name == "inventory":
		v = u.inventory
	case name == "plugin_data":
		v = u.plugin
	case name == "item" && u.looping:
		v = u.item
	default:
		return nil, fmt.Errorf("%w: %s", errMissing, name)
	}
	for rest := field[end:]; rest != ""; {
		var key string
		key, rest = nextKey(rest)
		next, err := child(v, key)
		if err != nil {
			return nil, fmt.Errorf("%w in %q", err, field)
		}
		v = next
	}
	return v, nil
}

// nextKey cuts the first ".attribute" or "[key]" off.
func nextKey(path string) (key, rest string) {
	if path[0] == '[' {
		if key, rest, closed := strings.Cut(path[1:], "]"); closed {
			return key, rest
		}
		return path[1:], ""
	}
	path = path[1:]
	if end := strings.IndexAny(path, ".["); end >= 0 {
		return path[:end], path[end:]
	}
	return path, ""
}

func child(v any, key string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		next, there := v[key]
		switch {
		case !there:
			return nil, fmt.Errorf("%w: %s", errMissing, key)
		case slices.Contains(hiddenKeys(), key):
			return "***", nil
		}
		return next, nil
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v) {
			return v[i], nil
		}
	}
	return nil, fmt.Errorf("%w: %s", errMissing, key)
}

// nodeView is the node as texts can name it.
func (u *ruling) nodeView() map[string]any {
	n := &u.node
	view := map[string]any{
		"uuid": n.UUID, "driver": n.Driver, "provision_state": string(n.ProvisionState), "power_state": string(n.PowerState), "instance_uuid": n.InstanceUUID,
		"name": n.Name, "resource_class": n.ResourceClass, "conductor_group": n.ConductorGroup, "owner": n.Owner, "lessee": n.Lessee,
		"description": n.Description, "shard": n.Shard, "disable_power_off": n.DisablePowerOff,
		"properties": n.Properties, "driver_info": n.DriverInfo, "extra": n.Extra, "instance_info": n.InstanceInfo,
	}
	for key, v := range view {
		if v == "" {
			view[key] = nil
		}
	}
	return view
}

// pythonText is a value as Python's str prints it. Secrets are stars.
func pythonText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return ingot.Repr(v, func(key string, value any) any {
		if slices.Contains(hiddenKeys(), key) {
			return "***"
		}
		return value
	})
}
