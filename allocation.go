package ingot

import (
	"slices"
	"strings"
	"time"
)

// Allocation asks for a node, and says which one it got (Ironic: /v1/allocations, since 1.52).
type Allocation struct {
	UUID          string // becomes the node's instance_uuid
	Version       int64
	Name          string // a node of the same name comes first
	Owner         string // a project: only its nodes, or those it has leased
	ResourceClass string
	// Candidates are the UUIDs of the nodes that will do; none is all.
	Candidates []string
	Traits     []string
	Extra      map[string]any
	NodeUUID   string // the node that was found
	State      AllocationState
	LastError  string
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// AllocationState is how far an allocation is.
type AllocationState string

// The states of allocations, in Ironic's words.
const (
	Allocating       AllocationState = "allocating"
	AllocationActive AllocationState = "active" // it has a node
	AllocationError  AllocationState = "error"  // none was found; it is not tried again
)

// AllocationQuery selects allocations.
type AllocationQuery struct {
	NodeUUID      string
	ResourceClass string
	State         AllocationState
	Owner         string
	Project       string // the owner again, where a list is confined to what is a project's
	Page
}

// Query selects the nodes that an allocation may get, as far as one query can tell.
func (a *Allocation) Query() NodeQuery {
	no := false
	return NodeQuery{
		ProvisionState: Available, ResourceClass: a.ResourceClass, Associated: &no, Maintenance: &no, Project: a.Owner,
		IncludeChildren: true, Page: Page{Limit: -1},
	}
}

// Suits says whether the allocation may get the node as it is now (Ironic: _candidate_nodes and _verify_node). The power
// state has to be known: a node whose BMC never answered is nothing to deploy on.
func (a *Allocation) Suits(n *Node) bool {
	switch {
	case n.ProvisionState != Available, n.Maintenance, n.InstanceUUID != "", n.PowerState == "", n.ResourceClass != a.ResourceClass:
		return false
	case n.ParentNode != "" && !n.IsGuest(), n.IsDynamic() && n.WaitsFor() != a.UUID:
		return false // children are no candidates (Ironic), save guests; one that was made for an allocation is that one's
	case a.Owner != "" && n.Owner != a.Owner && n.Lessee != a.Owner:
		return false
	case len(a.Candidates) > 0 && !slices.Contains(a.Candidates, n.UUID):
		return false
	}
	return len(Missing(a.Traits, n.Traits)) == 0
}

// Mismatch says why an active node is not what a backfilled allocation says that it is; "" when it is.
func (a *Allocation) Mismatch(n *Node) string {
	var wrong []string
	if n.ProvisionState != Active {
		wrong = append(wrong, `Node must be in the "active" state, but the current state is "`+string(n.ProvisionState)+`"`)
	}
	if a.ResourceClass != "" && n.ResourceClass != a.ResourceClass {
		wrong = append(wrong, "Resource class "+n.ResourceClass+" does not match the requested resource class "+a.ResourceClass)
	}
	if len(Missing(a.Traits, n.Traits)) > 0 {
		wrong = append(wrong, "List of traits ["+strings.Join(n.Traits, ", ")+"] does not match the requested traits ["+strings.Join(a.Traits, ", ")+"]")
	}
	if len(a.Candidates) > 0 && !slices.Contains(a.Candidates, n.UUID) {
		wrong = append(wrong, "Candidate nodes must be empty or contain the target node, but got ["+strings.Join(a.Candidates, ", ")+"]")
	}
	return strings.Join(wrong, "; ")
}

// Releasable says why a node's allocation may not be taken away now; nil when it may (Ironic: verify_node_for_deallocation).
func (a *Allocation) Releasable(n *Node) error {
	switch {
	case n.Maintenance:
		return nil
	case n.TargetProvisionState != "" && !n.ProvisionState.Updatable():
		return Errorf(Conflict, "Cannot remove allocation %s for node %s, because the node is in state %s where updates are not allowed (and maintenance mode is off)",
			a.UUID, n.UUID, n.ProvisionState)
	case n.ProvisionState == Active:
		return Errorf(Conflict, "Cannot remove allocation %s for node %s, because the node is active (and maintenance mode is off)", a.UUID, n.UUID)
	}
	return nil
}
