package conductor

import (
	"context"
	"fmt"
	"maps"

	"github.com/ingot-metal/ingot"
)

// sight is what one look at a machine finds: its power, and beside it what its BMC can tell (Ironic: sync_power_state also
// keeps vendor, boot mode, Secure Boot and health as they are).
type sight struct {
	power  ingot.PowerState
	mode   ingot.BootMode
	secure *bool
	health *ingot.Health
	maker  string
}

// look asks a machine. Only the power has to be there: what else cannot be read stays as it was recorded.
func (c *Conductor) look(ctx context.Context, n *ingot.Node, m ingot.Machine) (sight, error) {
	var s sight
	var err error
	if s.power, err = m.PowerState(ctx); err != nil {
		return s, err
	}
	missed := func(what string, err error) {
		c.Log.Debug("cannot read a machine's "+what, "node", n.UUID, "error", err)
	}
	if able, err := ability[ingot.BootModes](n, m, "management", "get_boot_mode"); err == nil {
		if s.mode, err = able.BootMode(ctx); err != nil {
			missed("boot mode", err)
		}
	}
	if able, err := ability[ingot.SecureBoot](n, m, "management", "get_secure_boot_state"); err == nil {
		if on, err := able.SecureBoot(ctx); err != nil {
			missed("Secure Boot", err)
		} else {
			s.secure = &on
		}
	}
	if able, err := ability[ingot.HealthMonitor](n, m, "management", "get_node_health"); err == nil {
		if health, err := able.Health(ctx); err != nil {
			missed("health", err)
		} else {
			s.health = &health
		}
	}
	if able, err := ability[ingot.MakerNamer](n, m, "management", "detect_vendor"); err == nil && ingot.Text(n.Properties, "vendor") == "" {
		if s.maker, err = able.Maker(ctx); err != nil {
			missed("manufacturer", err)
		}
	}
	return s, nil
}

// differs says whether the record lacks something that was seen beside the power.
func (s *sight) differs(n *ingot.Node) bool {
	return s.mode != "" && s.mode != n.BootMode || s.secure != nil && (n.SecureBoot == nil || *n.SecureBoot != *s.secure) ||
		s.health != nil && *s.health != n.Health || s.maker != "" && ingot.Text(n.Properties, "vendor") == ""
}

// record writes what was seen beside the power into the node.
func (s *sight) record(n *ingot.Node) {
	if s.mode != "" {
		n.BootMode = s.mode
	}
	if s.secure != nil {
		n.SecureBoot = s.secure
	}
	if s.health != nil {
		n.Health = *s.health
	}
	if s.maker != "" && ingot.Text(n.Properties, "vendor") == "" {
		n.Properties = maps.Clone(n.Properties)
		if n.Properties == nil {
			n.Properties = map[string]any{}
		}
		n.Properties["vendor"] = s.maker
	}
}

// history is the line for a health that changed, as Ironic's.
func (s *sight) history(c *Conductor, n *ingot.Node) []ingot.History {
	if s.health == nil || *s.health == n.Health {
		return nil
	}
	now := c.Now()
	return []ingot.History{{
		CreatedAt: now, Severity: "INFO", Type: "monitoring", Conductor: c.Hostname, State: n.ProvisionState, TargetState: n.TargetProvisionState,
		Event:    fmt.Sprintf("Node health status changed: health='%s' (previously '%s')", orNone(*s.health), orNone(n.Health)),
		Duration: sinceUpdate(n, now),
	}}
}

func orNone(h ingot.Health) string {
	if h == "" {
		return "None"
	}
	return string(h)
}
