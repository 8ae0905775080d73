package conductor

import (
	"reflect"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// What rules may set. A node's driver, interfaces and states are not among it: they have rules of their own, and a rule
// that broke them would show only at the next operation.

// nodeAttribute is the place of a node's attribute that rules may set; nil for any other.
func nodeAttribute(n *ingot.Node, name string) any {
	switch name {
	case "name":
		return &n.Name
	case "resource_class":
		return &n.ResourceClass
	case "conductor_group":
		return &n.ConductorGroup
	case "owner":
		return &n.Owner
	case "lessee":
		return &n.Lessee
	case "description":
		return &n.Description
	case "shard":
		return &n.Shard
	case "automated_clean":
		return &n.AutomatedClean
	case "disable_power_off":
		return &n.DisablePowerOff
	case "properties":
		return &n.Properties
	case "driver_info":
		return &n.DriverInfo
	case "extra":
		return &n.Extra
	case "instance_info":
		return &n.InstanceInfo
	case "traits": // by their actions alone
		return &n.Traits
	}
	return nil
}

// portAttributes are the attributes of ports that rules may set.
func portAttributes() []string {
	return []string{"description", "pxe_enabled", "physical_network", "is_smartnic", "local_link_connection", "extra"}
}

func portAttribute(p *ingot.Port, name string) any {
	switch name {
	case "description":
		return &p.Description
	case "pxe_enabled":
		return &p.PXEEnabled
	case "physical_network":
		return &p.PhysicalNetwork
	case "is_smartnic":
		return &p.IsSmartNIC
	case "local_link_connection":
		return &p.LocalLinkConnection
	case "extra":
		return &p.Extra
	}
	return nil
}

// copyAttribute puts the value in one attribute's place into another's of the same sort.
func copyAttribute(to, from any) { reflect.ValueOf(to).Elem().Set(reflect.ValueOf(from).Elem()) }

// pathOf is a path's parts: with slashes or with dots between them.
func pathOf(path any) ([]string, error) {
	text, ok := path.(string)
	if !ok || text == "" {
		return nil, ingot.Errorf(ingot.Invalid, "path %v is no text", path)
	}
	if strings.Contains(text, "/") {
		return strings.Split(strings.Trim(text, "/"), "/"), nil
	}
	return strings.Split(text, "."), nil
}

// place is an attribute, or a part of one that is an object.
type place struct {
	at   any // a pointer to the whole attribute
	path []string
}

// setWhole sets a whole attribute.
func setWhole(at, value any) bool {
	switch at := at.(type) {
	case *string:
		text, ok := value.(string)
		if value == nil {
			ok = true
		}
		*at = text
		return ok
	case *bool:
		flag, ok := value.(bool)
		*at = flag
		return ok
	case **bool:
		flag, ok := value.(bool)
		*at = nil
		if ok {
			*at = &flag
		}
		return ok || value == nil
	case *map[string]any:
		object, ok := value.(map[string]any)
		*at = object
		return ok
	}
	return false
}

// set sets the attribute, or what is below it; what is missing on the way is made.
func (p place) set(value any) error {
	if len(p.path) == 0 {
		if !setWhole(p.at, value) {
			return ingot.Errorf(ingot.Invalid, "%v does not fit there", value)
		}
		return nil
	}
	return p.below(true, func(object map[string]any, key string) error {
		object[key] = value
		return nil
	})
}

// extend appends to a list below the attribute.
func (p place) extend(value any, unique bool) error {
	if len(p.path) == 0 {
		return ingot.Errorf(ingot.Invalid, "Cannot extend non-list attribute")
	}
	return p.below(true, func(object map[string]any, key string) error {
		list, ok := object[key].([]any)
		if object[key] != nil && !ok {
			return ingot.Errorf(ingot.Invalid, "Cannot extend non-list attribute")
		}
		if !unique || !slices.ContainsFunc(list, func(v any) bool { return reflect.DeepEqual(v, value) }) {
			list = append(list, value)
		}
		object[key] = list
		return nil
	})
}

// remove empties the attribute, or takes away what is below it.
func (p place) remove() error {
	if len(p.path) == 0 {
		reflect.ValueOf(p.at).Elem().SetZero()
		return nil
	}
	return p.below(false, func(object map[string]any, key string) error {
		if _, there := object[key]; !there {
			return ingot.Errorf(ingot.Invalid, "there is no %s", key)
		}
		delete(object, key)
		return nil
	})
}

// below finds the object in which the path ends, in a copy of the attribute that takes its place.
func (p place) below(build bool, do func(object map[string]any, key string) error) error {
	whole, ok := p.at.(*map[string]any)
	if !ok {
		return ingot.Errorf(ingot.Invalid, "it is no object: it has no %s", strings.Join(p.path, "/"))
	}
	root, _ := deepCopy(*whole).(map[string]any)
	if root == nil {
		root = map[string]any{}
	}
	at := root
	for _, key := range p.path[:len(p.path)-1] {
		next, ok := at[key].(map[string]any)
		switch {
		case !ok && (!build || at[key] != nil):
			return ingot.Errorf(ingot.Invalid, "%s is no object", key)
		case !ok:
			next = map[string]any{}
			at[key] = next
		}
		at = next
	}
	if err := do(at, p.path[len(p.path)-1]); err != nil {
		return err
	}
	*whole = root
	return nil
}
