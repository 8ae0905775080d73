package conductor

import (
	"maps"

	"github.com/ingot-metal/ingot"
)

// Where a deploy takes the node's lessee from (Ironic: automatic_lessee_source).
const (
	LesseeOfInstance = "instance" // instance_info's project_id
	LesseeOfRequest  = "request"  // the project of who asks
	LesseeNone       = "none"     // nowhere: it is left as it is
)

// automaticLessee marks a lessee that a deploy has set, which its undeploy takes away.
const automaticLessee = ingot.LeaseKey

// newLessee is the project that a deploy leases the node to; "" for none, as when the node has a lessee.
func (c *Conductor) newLessee(n *ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) string {
	if n.Lessee != "" || row.Kind != ingot.KindDeploy && row.Kind != ingot.KindRebuild {
		return ""
	}
	switch c.Settings.LesseeSource {
	case LesseeNone:
		return ""
	case LesseeOfRequest:
		return req.Project
	}
	return ingot.Text(n.InstanceInfo, "project_id")
}

// lease gives the node a lessee for as long as it is deployed.
func lease(n *ingot.Node, lessee string) {
	if lessee == "" || n.Lessee != "" {
		return
	}
	n.Lessee = lessee
	n.Internal = maps.Clone(n.Internal)
	if n.Internal == nil {
		n.Internal = map[string]any{}
	}
	n.Internal[automaticLessee] = true
}

// endLease takes away the lessee that lease gave.
func endLease(n *ingot.Node) {
	if n.Internal[automaticLessee] != true {
		return
	}
	n.Lessee = ""
	n.Internal = maps.Clone(n.Internal)
	delete(n.Internal, automaticLessee)
}
