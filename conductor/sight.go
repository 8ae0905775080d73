package conductor

import (
	"context"
	"fmt"
	"maps"
	"strings"

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
	stall  string // why a guest stands still
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
	if able, ok := ingot.As[ingot.DiskWatcher](m); ok && s.power == ingot.PowerOn {
		if s.stall, err = able.DiskTrouble(ctx); err != nil {
			return s, err
		}
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
	return s.stalls(n) || s.goesOn(n) || s.mode != "" && s.mode != n.BootMode || s.secure != nil && (n.SecureBoot == nil || *n.SecureBoot != *s.secure) ||
		s.health != nil && *s.health != n.Health || s.maker != "" && ingot.Text(n.Properties, "vendor") == ""
}

// stalls and goesOn are news: a guest stands still, or does no more.
func (s *sight) stalls(n *ingot.Node) bool { return s.stall != "" && n.Fault != ingot.FaultDisk }
func (s *sight) goesOn(n *ingot.Node) bool { return s.stall == "" && n.Fault == ingot.FaultDisk }

// stalled begins the last error of a guest that stands still, so that it can be told from others when it goes on.
const stalled = "the guest stands still: "

// record writes what was seen beside the power into the node.
func (s *sight) record(n *ingot.Node) {
	switch {
	case s.stalls(n):
		n.Fault, n.LastError = ingot.FaultDisk, stalled+s.stall
	case s.goesOn(n):
		n.Fault = ""
		if strings.HasPrefix(n.LastError, stalled) {
			n.LastError = ""
		}
	}
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

// history are the lines for a health that changed, as Ironic's, for a guest whose power did, and for one that stands still.
func (s *sight) history(c *Conductor, n *ingot.Node) []ingot.History {
	var lines []ingot.History
	add := func(severity, event string) {
		now := c.Now()
		lines = append(lines, ingot.History{
			CreatedAt: now, Severity: severity, Type: "monitoring", Conductor: c.Hostname, State: n.ProvisionState, TargetState: n.TargetProvisionState,
			Event: event, Duration: sinceUpdate(n, now),
		})
	}
	if s.health != nil && *s.health != n.Health {
		add("INFO", fmt.Sprintf("Node health status changed: health='%s' (previously '%s')", orNone(*s.health), orNone(n.Health)))
	}
	if n.IsGuest() && n.PowerState != "" && s.power != "" && s.power != n.PowerState {
		add("INFO", fmt.Sprintf("this guest's power changed without Ingot: %s (previously %s)", s.power, n.PowerState))
	}
	switch {
	case s.stalls(n):
		add("ERROR", stalled+s.stall)
	case s.goesOn(n):
		add("INFO", "the guest goes on")
	}
	return lines
}

func orNone(h ingot.Health) string {
	if h == "" {
		return "None"
	}
	return string(h)
}
