package ingot

// NodeQuery selects and orders nodes. Zero fields select everything; pointers tell "not asked" from false.
type NodeQuery struct {
	Associated          *bool
	Maintenance         *bool
	Retired             *bool
	Sharded             *bool
	InstanceUUID        string
	InstanceName        string
	ChassisUUID         string
	ProvisionState      State
	Driver              string
	ResourceClass       string
	Fault               Fault
	ConductorGroup      *string
	Conductor           string
	Owner               string
	Lessee              string
	Project             string // owner or lessee
	DescriptionContains string
	Shards              []string
	ParentNode          string
	// IncludeChildren also lists nodes that have a parent, which are left out otherwise (since 1.83).
	IncludeChildren bool
	Page
}

// Page is the part of a list that is asked for.
type Page struct {
	Limit   int    // 0 is the store's default, 1000
	Marker  string // UUID of the last item of the page before
	SortKey string // a column's wire name; "" is the order of creation
	Desc    bool
	// Fields are the columns to read, by their wire names; nil is all. What was not asked for may be zero, save the UUID.
	Fields []string
}

// PortQuery selects ports.
type PortQuery struct {
	NodeUUID            string
	Address             string
	PortgroupUUID       string
	Project             string // owner or lessee of the port's node
	DescriptionContains string
	Shards              []string // of their nodes
	ConductorGroups     []string // of their nodes
	Page
}
