package client

import (
	"context"
	"net/url"
	"strconv"

	"github.com/ingot-metal/ingot"
)

// Node is a node as the API shows it: what programs of ours look at. Raw asks for more.
type Node struct {
	UUID                 string           `json:"uuid"`
	Name                 string           `json:"name"`
	Driver               string           `json:"driver"`
	DriverInfo           map[string]any   `json:"driver_info"`
	Internal             map[string]any   `json:"driver_internal_info"`
	Properties           map[string]any   `json:"properties"`
	Extra                map[string]any   `json:"extra"`
	InstanceInfo         map[string]any   `json:"instance_info"`
	InstanceUUID         string           `json:"instance_uuid"`
	PowerState           ingot.PowerState `json:"power_state"`
	TargetPowerState     ingot.PowerState `json:"target_power_state"`
	ProvisionState       ingot.State      `json:"provision_state"`
	TargetProvisionState ingot.State      `json:"target_provision_state"`
	LastError            string           `json:"last_error"`
	Reservation          string           `json:"reservation"`
	Maintenance          bool             `json:"maintenance"`
	MaintenanceReason    string           `json:"maintenance_reason"`
	Fault                ingot.Fault      `json:"fault"`
	CleanStep            map[string]any   `json:"clean_step"`
	DeployStep           map[string]any   `json:"deploy_step"`
	ServiceStep          map[string]any   `json:"service_step"`
	ResourceClass        string           `json:"resource_class"`
	UpdatedAt            string           `json:"updated_at"`
}

// Label names the node for people.
func (n Node) Label() string {
	if n.Name != "" {
		return n.Name
	}
	return n.UUID
}

// Patch is one operation on a field: RFC 6902's add, replace or remove.
type Patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// Set is the patch that gives the value at a path, there before or not.
func Set(path string, value any) Patch { return Patch{Op: "add", Path: path, Value: value} }

// Remove is the patch that takes away what is at a path.
func Remove(path string) Patch { return Patch{Op: "remove", Path: path} }

func nodePath(ident string, more string) string { return "/v1/nodes/" + url.PathEscape(ident) + more }

// Nodes lists nodes whole, with filters by their wire names; it follows the pages to the end.
func (c *Client) Nodes(ctx context.Context, filters url.Values) ([]Node, error) {
	var all []Node
	query := url.Values{}
	for name, values := range filters {
		query[name] = values
	}
	query.Set("detail", "true")
	for {
		var page struct {
			Nodes []Node `json:"nodes"`
			Next  string `json:"next"`
		}
		if err := c.call(ctx, "GET", "/v1/nodes", query, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Nodes...)
		if page.Next == "" || len(page.Nodes) == 0 {
			return all, nil
		}
		query.Set("marker", page.Nodes[len(page.Nodes)-1].UUID)
		query.Set("limit", strconv.Itoa(len(page.Nodes)))
	}
}

// Node finds a node by UUID or name; NotFound.
func (c *Client) Node(ctx context.Context, ident string) (Node, error) {
	var n Node
	return n, c.call(ctx, "GET", nodePath(ident, ""), nil, nil, &n)
}

// CreateNode enrols a node of the fields, by their wire names; "driver" is needed. Conflict: its name is taken.
func (c *Client) CreateNode(ctx context.Context, fields map[string]any) (Node, error) {
	var n Node
	return n, c.call(ctx, "POST", "/v1/nodes", nil, fields, &n)
}

// PatchNode changes a node's fields.
func (c *Client) PatchNode(ctx context.Context, ident string, patches ...Patch) (Node, error) {
	var n Node
	return n, c.call(ctx, "PATCH", nodePath(ident, ""), nil, patches, &n)
}

// DeleteNode forgets a node.
func (c *Client) DeleteNode(ctx context.Context, ident string) error {
	return c.call(ctx, "DELETE", nodePath(ident, ""), nil, nil, nil)
}

// SetMaintenance takes a node out of service, with the reason, or with on false back.
func (c *Client) SetMaintenance(ctx context.Context, ident string, on bool, reason string) error {
	if !on {
		return c.call(ctx, "DELETE", nodePath(ident, "/maintenance"), nil, nil, nil)
	}
	return c.call(ctx, "PUT", nodePath(ident, "/maintenance"), nil, map[string]any{"reason": reason}, nil)
}

// Validate gives the verdict on each of a node's interfaces.
func (c *Client) Validate(ctx context.Context, ident string) (map[string]ingot.Verdict, error) {
	verdicts := map[string]ingot.Verdict{}
	return verdicts, c.call(ctx, "GET", nodePath(ident, "/validate"), nil, nil, &verdicts)
}

// Inventory is what the last inspection found; NotFound when there was none.
func (c *Client) Inventory(ctx context.Context, ident string) (ingot.Inventory, error) {
	var found struct {
		Inventory ingot.Inventory `json:"inventory"`
	}
	err := c.call(ctx, "GET", nodePath(ident, "/inventory"), nil, nil, &found)
	return found.Inventory, err
}

// History is a node's history, oldest first: at most the last thousand entries that the service keeps.
func (c *Client) History(ctx context.Context, ident string) ([]HistoryEntry, error) {
	var list struct {
		History []HistoryEntry `json:"history"`
	}
	err := c.call(ctx, "GET", nodePath(ident, "/history"), url.Values{"detail": {"true"}}, nil, &list)
	return list.History, err
}

// HistoryEntry is one entry of a node's history.
type HistoryEntry struct {
	UUID      string      `json:"uuid"`
	CreatedAt string      `json:"created_at"`
	Severity  string      `json:"severity"`
	Type      string      `json:"event_type"`
	Event     string      `json:"event"`
	User      string      `json:"user"`
	Conductor string      `json:"conductor"`
	State     ingot.State `json:"state"`
	Duration  float64     `json:"duration_seconds"`
}

// Evidence is what the boot service last did for a node's machine, oldest first.
func (c *Client) Evidence(ctx context.Context, ident string) ([]ingot.Evidence, error) {
	var list struct {
		Evidence []ingot.Evidence `json:"evidence"`
	}
	err := c.call(ctx, "GET", nodePath(ident, "/evidence"), nil, nil, &list)
	return list.Evidence, err
}
