package ingot

import "time"

// VolumeConnector is a name by which a node is known to a storage network (Ironic: /v1/volume/connectors, since 1.32).
type VolumeConnector struct {
	UUID        string
	Version     int64
	NodeUUID    string
	Type        string // iqn, ip, mac, wwnn, wwpn, port
	ConnectorID string
	Extra       map[string]any
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// VolumeTarget is a remote volume of a node (Ironic: /v1/volume/targets, since 1.32).
type VolumeTarget struct {
	UUID       string
	Version    int64
	NodeUUID   string
	VolumeType string // iscsi, fibre_channel, …
	VolumeID   string
	BootIndex  int            // the order in which the node looks for what to boot; 0 is first
	Properties map[string]any // how to reach it; holds secrets
	Extra      map[string]any
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// VolumeQuery selects volume connectors and targets.
type VolumeQuery struct {
	NodeUUID string
	Project  string // owner or lessee of their nodes
	Page
}

// Shard is a group of nodes that one client watches over, and how many nodes it has (Ironic: /v1/shards, since 1.82).
type Shard struct {
	Name  string // "" are the nodes that are in none
	Count int
}
