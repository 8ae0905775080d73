package conductor

import (
	"strings"

	"github.com/ingot-metal/ingot"
)

// ability finds what a node's machine can do beside power and boot device. It belongs to the interface of the kind: a
// node that names one that does nothing (no-…, noop) has not the ability, whatever its BMC could. what is Ironic's word
// for it.
func ability[T any](n *ingot.Node, machine ingot.Machine, kind, what string) (T, error) {
	var none T
	if without(n, kind) {
		return none, unsupported(n, what)
	}
	found, ok := ingot.As[T](machine)
	if !ok {
		return none, unsupported(n, what)
	}
	return found, nil
}

// without says whether the node's interface of the kind is one that does nothing.
func without(n *ingot.Node, kind string) bool {
	name := *n.Interfaces.Field(kind)
	return name == "" || name == "noop" || strings.HasPrefix(name, "no-")
}

// able finds an ability of a node's machine without a word to its BMC.
func able[T any](c *Conductor, n *ingot.Node, kind, what string) (T, error) {
	machine, _, err := c.Machines.Machine(n)
	if err != nil {
		var none T
		return none, ingot.Fatal(err)
	}
	return ability[T](n, machine, kind, what)
}

// unsupported is Ironic's refusal of what a driver cannot do.
func unsupported(n *ingot.Node, what string) error {
	return ingot.Errorf(ingot.Unsupported, "Driver %s does not support %s (disabled or not implemented).", n.Driver, what)
}

// locked is Ironic's refusal of a second change of a node.
func (c *Conductor) locked(n *ingot.Node) error {
	return ingot.Errorf(ingot.Locked, "Node %s is locked by host %s, please retry after the current operation is completed.", n.UUID, c.Hostname)
}

// free refuses to work on a node that an operation works on.
func (c *Conductor) free(n *ingot.Node) error {
	if n.ProvisionState.Busy() || n.TargetPowerState != "" {
		return c.locked(n)
	}
	return nil
}
