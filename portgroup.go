package ingot

import "time"

// Portgroup is several ports of a node that work as one (Ironic: /v1/portgroups, since 1.23).
type Portgroup struct {
	UUID            string
	Version         int64
	NodeUUID        string
	Address         string // MAC, lower case with colons; may be missing
	Name            string
	Mode            string         // of the bond, as Linux names it: active-backup, 802.3ad, …
	Properties      map[string]any // of the bond: miimon, xmit_hash_policy, …
	Standalone      bool           // its ports may also be used one by one (Ironic: standalone_ports_supported)
	PhysicalNetwork string
	Category        string
	Dynamic         bool // made by the service itself
	Extra           map[string]any
	Internal        map[string]any
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// PortgroupQuery selects port groups.
type PortgroupQuery struct {
	NodeUUID        string
	Address         string
	Shards          []string // of their nodes
	ConductorGroups []string // of their nodes
	Project         string   // owner or lessee of their nodes
	Page
}

// VIFKey is where a port or port group keeps the virtual interface that is attached to it, within internal_info.
const VIFKey = "tenant_vif_port_id"

// WithVIF is a copy of a port's or port group's internal_info with another virtual interface attached, or none.
func WithVIF(internal map[string]any, id string) map[string]any {
	if id == Text(internal, VIFKey) {
		return internal
	}
	out := make(map[string]any, len(internal)+1)
	for key, v := range internal {
		out[key] = v
	}
	delete(out, VIFKey)
	if id != "" {
		out[VIFKey] = id
	}
	return out
}
