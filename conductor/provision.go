package conductor

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// Provision accepts a verb (Ironic: PUT states/provision): it checks everything that can be known at once, stores the
// operation and the node's new state in one transaction, and returns.
func (c *Conductor) Provision(ctx context.Context, node ingot.Node, req ingot.ProvisionRequest) error {
	row, ok := ingot.Next(node.ProvisionState, req.Verb)
	if !ok {
		return illegal(&node, req.Verb)
	}
	if err := c.preconditions(&node, row); err != nil {
		return err
	}
	switch {
	case req.Verb == ingot.VerbAbort && row.From.Busy():
		return c.abort(ctx, node, req)
	case row.Kind == "":
		return c.moveAtOnce(ctx, node, row, req)
	}
	return c.start(ctx, node, row, req)
}

// illegal is Ironic's refusal of a verb that the table does not have for a state.
func illegal(n *ingot.Node, verb ingot.Verb) error {
	return ingot.Errorf(ingot.Invalid, `The requested action "%s" can not be performed on node "%s" while it is in state "%s".`, verb, n.UUID, n.ProvisionState)
}

// preconditions are the rules beside the table (Ironic: api/controllers/v1/node.py and conductor/manager.py).
func (c *Conductor) preconditions(n *ingot.Node, row ingot.Transition) error {
	verb := row.Verb
	needsCare := verb == ingot.VerbActive || verb == ingot.VerbRebuild || verb == ingot.VerbRescue || verb == ingot.VerbUnrescue || verb == ingot.VerbClean
	switch {
	case n.Maintenance && needsCare:
		return ingot.Errorf(ingot.Invalid, "The %s operation can't be performed on node %s because it's in maintenance mode.", verb, n.UUID)
	case n.Protected && (verb == ingot.VerbDeleted || verb == ingot.VerbRebuild):
		return ingot.Errorf(ingot.Forbidden, "Node %s is protected and cannot be undeployed, rebuilt or deleted: %s", n.UUID, n.ProtectedReason)
	case n.Retired && verb == ingot.VerbProvide:
		return ingot.Errorf(ingot.Invalid, "Node %s can not be provided because it is retired.", n.UUID)
	case n.Fault == ingot.FaultPower && verb == ingot.VerbDeleted:
		return nil
	}
	if row.Kind == "" {
		return nil
	}
	if n.TargetPowerState != "" {
		return c.locked(n)
	}
	if n.DisablePowerOff && row.Kind != ingot.KindVerify && row.Kind != ingot.KindAdopt {
		return ingot.Errorf(ingot.Unsupported, "Node %s has disable_power_off set, and %s needs to power it off: unset it first.", n.UUID, verb)
	}
	if _, known := c.plans[row.Kind]; !known {
		return unsupported(n, string(verb))
	}
	return c.supportsVerb(n, row)
}

// supportsVerb refuses verbs that the node's interfaces have no implementation for.
func (c *Conductor) supportsVerb(n *ingot.Node, row ingot.Transition) error {
	if row.Kind == ingot.KindInspect && n.Interfaces.Inspect == "no-inspect" {
		return unsupported(n, "inspect")
	}
	if row.Kind == ingot.KindDeploy || row.Kind == ingot.KindRebuild {
		verdict := validateDeploy(n)
		if verdict.Result != nil && !*verdict.Result {
			return ingot.Errorf(ingot.Invalid, "Failed to validate deploy or power info for node %s: %s", n.UUID, verdict.Reason)
		}
		if _, _, err := c.Machines.Machine(n); err != nil {
			return ingot.Errorf(ingot.Invalid, "Failed to validate deploy or power info for node %s: %w", n.UUID, err)
		}
	}
	return nil
}

// start stores the operation.
func (c *Conductor) start(ctx context.Context, node ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) error {
	params, err := operationParams(&node, row, req)
	if err != nil {
		return err
	}
	now := c.Now()
	after := node
	after.ProvisionState, after.TargetProvisionState, after.ProvisionUpdatedAt = row.To, row.Target, now
	history, event := c.transition(&after, node.ProvisionState, node.ProvisionUpdatedAt, req.Requester)
	limit, kinds := c.limits(row.Kind)
	_, err = c.Operations.StartOperation(ctx, ingot.Start{
		Operation:   c.newOperation(row.Kind, node.UUID, params, req.Requester, now),
		NodeVersion: node.Version,
		Replace:     row.Verb == ingot.VerbDeleted,
		Change: func(n *ingot.Node) {
			n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt, n.LastError = row.To, row.Target, now, ""
		},
		History: []ingot.History{history},
		Events:  []ingot.Event{event},
		Limit:   limit, LimitKinds: kinds,
	})
	return err
}

// limits are Ironic's max_concurrent_deploy and max_concurrent_clean.
func (c *Conductor) limits(kind ingot.Kind) (int, []ingot.Kind) {
	switch kind {
	case ingot.KindDeploy, ingot.KindRebuild:
		return c.Settings.MaxDeploys, []ingot.Kind{ingot.KindDeploy, ingot.KindRebuild}
	case ingot.KindProvide, ingot.KindClean, ingot.KindDelete:
		return c.Settings.MaxCleans, []ingot.Kind{ingot.KindProvide, ingot.KindClean, ingot.KindDelete}
	}
	return 0, nil
}

// operationParams turns a request into what its plan reads, and refuses what no plan would read.
func operationParams(n *ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) (map[string]any, error) {
	params := map[string]any{}
	deploys := row.Kind == ingot.KindDeploy || row.Kind == ingot.KindRebuild
	switch {
	case req.Runbook != "":
		return nil, ingot.Errorf(ingot.Invalid, "Runbook %s could not be found.", req.Runbook)
	case req.DisableRamdisk:
		return nil, ingot.Errorf(ingot.Unsupported, "Driver %s has no steps that run without the ramdisk: leave disable_ramdisk out.", n.Driver)
	case row.Kind == ingot.KindClean && len(req.CleanSteps) == 0:
		return nil, ingot.Errorf(ingot.Invalid, `"clean_steps" is required when setting target provision state to clean`)
	}
	if req.ConfigDrive != nil && deploys {
		text, err := configDriveText(req.ConfigDrive)
		if err != nil {
			return nil, err
		}
		if err := validConfigDrive(text, n); err != nil {
			return nil, err
		}
		params["configdrive"] = ingot.Secret(text)
	}
	if row.Kind == ingot.KindClean {
		params["clean_steps"], params["whole_list"] = anyList(req.CleanSteps), true
	}
	if deploys && len(req.DeploySteps) > 0 {
		params["deploy_steps"] = anyList(req.DeploySteps)
	}
	return params, nil
}

// configDriveText is a config drive as text: what was text already, or the JSON of an object.
func configDriveText(drive any) (string, error) {
	if text, ok := drive.(string); ok {
		return text, nil
	}
	data, err := json.Marshal(drive)
	if err != nil {
		return "", ingot.Errorf(ingot.Invalid, "cannot read configdrive: %w", err)
	}
	return string(data), nil
}

func anyList(items []map[string]any) []any {
	out := make([]any, 0, len(items))
	for _, item := range items {
		out = append(out, item)
	}
	return out
}

// moveAtOnce carries out a row of the table that needs no operation.
func (c *Conductor) moveAtOnce(ctx context.Context, node ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) error {
	now := c.Now()
	after := node
	after.ProvisionState, after.TargetProvisionState, after.ProvisionUpdatedAt = row.To, row.Target, now
	history, event := c.transition(&after, node.ProvisionState, node.ProvisionUpdatedAt, req.Requester)
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: node.UUID, Version: node.Version,
		Change: func(n *ingot.Node) error {
			n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt, n.LastError = row.To, row.Target, now, ""
			return nil
		},
		History: []ingot.History{history}, Events: []ingot.Event{event},
	})
	return err
}

// abort turns the operation under way round at once. It is refused while a cleaning step runs that must not be
// interrupted (firmware, say); Ironic would set a mark and abort after it.
func (c *Conductor) abort(ctx context.Context, node ingot.Node, req ingot.ProvisionRequest) error {
	if abortable, told := node.CleanStep["abortable"].(bool); told && !abortable {
		return ingot.Errorf(ingot.Conflict, "Node %s is in clean step %v, which must not be interrupted; abort again when it is done.", node.UUID, node.CleanStep["step"])
	}
	reason := fmt.Sprintf("aborted in state %s by the user", node.ProvisionState)
	if req.Requester != "" {
		reason = fmt.Sprintf("aborted in state %s by %s", node.ProvisionState, req.Requester)
	}
	_, err := c.Operations.InterruptOperation(ctx, ingot.Interrupt{
		NodeUUID: node.UUID, NodeVersion: node.Version, Lane: ingot.LaneProvision, Reason: reason,
		Change: func(n *ingot.Node) { n.LastError = reason },
	})
	return err
}
