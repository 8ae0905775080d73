package conductor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

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
	doing := inMaintenance(verb)
	switch {
	case n.Maintenance && row.Kind == ingot.KindRestore:
		return ingot.Errorf(ingot.Conflict, `Can not abort service on node "%s" while it is in maintenance mode. Please remove the node from maintenance prior to issuing the request to abort the service operation.`, n.UUID)
	case n.Maintenance && doing != "":
		return ingot.Errorf(ingot.Invalid, "The %s operation can't be performed on node %s because it's in maintenance mode.", doing, n.UUID)
	case n.Protected && (verb == ingot.VerbDeleted || verb == ingot.VerbRebuild):
		return ingot.Errorf(ingot.Forbidden, "Node %s is protected and cannot be undeployed, rebuilt or deleted", n.UUID)
	case n.Retired && verb == ingot.VerbProvide:
		return ingot.Errorf(ingot.Invalid, "The providing operation can't be performed on node %s because it is retired.", n.UUID)
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
		if err := c.canReset(n); err != nil {
			return err
		}
	}
	if _, known := c.plans[row.Kind]; !known {
		return unsupported(n, string(verb))
	}
	return c.supportsVerb(n, row)
}

// inMaintenance is Ironic's word for what may not be begun on a node in maintenance; "" for verbs that may.
func inMaintenance(verb ingot.Verb) string {
	switch verb {
	case ingot.VerbActive, ingot.VerbRebuild:
		return "provisioning"
	case ingot.VerbRescue:
		return "rescuing"
	case ingot.VerbUnrescue:
		return "unrescuing"
	case ingot.VerbClean:
		return "cleaning"
	case ingot.VerbService:
		return "service"
	}
	return ""
}

// supportsVerb refuses verbs that the node's interfaces have no implementation for.
func (c *Conductor) supportsVerb(n *ingot.Node, row ingot.Transition) error {
	if row.Kind == ingot.KindInspect && n.Interfaces.Inspect == "no-inspect" {
		return unsupported(n, "inspect")
	}
	if row.Kind == ingot.KindRescue || row.Kind == ingot.KindUnrescue {
		if name := n.Interfaces.Rescue; name == "" || name == "no-rescue" {
			return ingot.Errorf(ingot.Unsupported, "Driver %s does not support %s (disabled or not implemented).", n.Driver, row.Verb)
		}
		if verdict := c.validateRescue(n); row.Kind == ingot.KindRescue && verdict.Result != nil && !*verdict.Result {
			return ingot.Errorf(ingot.Invalid, "Failed to rescue node %s: Validation failed: %s", n.UUID, verdict.Reason)
		}
	}
	if row.Kind == ingot.KindDeploy || row.Kind == ingot.KindRebuild {
		verdict := validateDeploy(n)
		if verdict.Result != nil && !*verdict.Result {
			return ingot.Errorf(ingot.Invalid, "Failed to validate deploy or power info for node %s: %s", n.UUID, verdict.Reason)
		}
		_, _, err := c.Machines.Machine(n)
		if err == nil && c.ImageFinder != nil && n.IsGuest() && !fromISO(n) {
			err = c.ImageFinder.FindImage(imageSource(n))
		}
		if err != nil {
			return ingot.Errorf(ingot.Invalid, "Failed to validate deploy or power info for node %s: %w", n.UUID, err)
		}
	}
	return nil
}

// start stores the operation.
func (c *Conductor) start(ctx context.Context, node ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) error {
	if err := c.checkAllowed(&req); err != nil {
		return err
	}
	if row.Kind == ingot.KindService {
		switch asksInterchange(req.ServiceSteps) {
		case toMetalStep:
			return c.startToMetal(ctx, node, row, req)
		case toGuestStep:
			return c.startToGuest(ctx, node, row, req)
		}
	}
	if err := c.checkMoves(ctx, &node, req.ServiceSteps); err != nil {
		return err
	}
	if err := c.checkBare(&node, req.ServiceSteps); err != nil {
		return err
	}
	children, err := c.namedChildren(ctx, &node, &req)
	if err != nil {
		return err
	}
	params, err := operationParams(&node, row, req)
	if err != nil {
		return err
	}
	now := c.Now()
	after := node
	after.ProvisionState, after.TargetProvisionState, after.ProvisionUpdatedAt = row.To, row.Target, now
	history, event := c.transition(&after, node.ProvisionState, node.ProvisionUpdatedAt, req.Requester)
	history.Project = req.Project
	limited := c.limits(row.Kind)
	operation := c.newOperation(row.Kind, node.UUID, params, req.Requester, now)
	operation.Project = req.Project
	lessee := c.newLessee(&node, row, req)
	_, err = c.Operations.StartOperation(ctx, ingot.Start{
		Operation:   operation,
		Others:      children,
		NodeVersion: node.Version,
		KeepsGuests: row.Kind == ingot.KindService && leavesGuestsAlone(&req),
		Replace:     row.Verb == ingot.VerbDeleted || row.From.Class() == ingot.Held,
		Change: func(n *ingot.Node) {
			n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt, n.LastError = row.To, row.Target, now, ""
			lease(n, lessee)
			n.CleanStep, n.DeployStep, n.ServiceStep = nil, nil, nil
		},
		History: []ingot.History{history},
		Events:  []ingot.Event{event},
		Limit:   limited.Limit, LimitKinds: limited.LimitKinds, LimitName: limited.LimitName,
	})
	return err
}

// limits are Ironic's max_concurrent_deploy and max_concurrent_clean. Provide counts, but is not refused.
func (c *Conductor) limits(kind ingot.Kind) ingot.Start {
	switch kind {
	case ingot.KindDeploy, ingot.KindRebuild:
		return ingot.Start{Limit: c.Settings.MaxDeploys, LimitKinds: []ingot.Kind{ingot.KindDeploy, ingot.KindRebuild}, LimitName: "provisioning"}
	case ingot.KindClean, ingot.KindDelete:
		name := map[ingot.Kind]string{ingot.KindClean: "cleaning", ingot.KindDelete: "unprovisioning"}[kind]
		return ingot.Start{Limit: c.Settings.MaxCleans, LimitKinds: []ingot.Kind{ingot.KindProvide, ingot.KindClean, ingot.KindDelete}, LimitName: name}
	}
	return ingot.Start{}
}

// operationParams turns a request into what its plan reads, and refuses what no plan would read.
func operationParams(n *ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) (map[string]any, error) {
	params := map[string]any{}
	deploys := row.Kind == ingot.KindDeploy || row.Kind == ingot.KindRebuild
	if deploys && byHost(n) && len(req.DeploySteps) > 0 {
		return nil, ingot.Errorf(ingot.Invalid, "deploy interface %s of node %s has no steps: leave deploy_steps out, or use deploy interface direct", n.Interfaces.Deploy, n.UUID)
	}
	if deploys && n.Interfaces.Deploy == noopDeploy && (req.ConfigDrive != nil || len(req.DeploySteps) > 0) {
		return nil, ingot.Errorf(ingot.Invalid, "deploy interface noop of node %s writes nothing: leave configdrive and deploy_steps out", n.UUID)
	}
	if req.ConfigDrive != nil && deploys {
		text, err := configDriveText(req.ConfigDrive)
		if err != nil {
			return nil, err
		}
		if err := validConfigDrive(text, n); err != nil {
			return nil, err
		}
		if byHost(n) && (strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")) {
			return nil, ingot.Errorf(ingot.Invalid, "deploy interface %s of node %s takes config drives themselves, not their URL", n.Interfaces.Deploy, n.UUID)
		}
		params["configdrive"] = ingot.Secret(text)
	}
	switch {
	case row.Kind == ingot.KindClean:
		return params, wholeList(params, "clean", req.CleanSteps, req.DisableRamdisk)
	case row.Kind == ingot.KindService:
		return params, wholeList(params, "service", req.ServiceSteps, req.DisableRamdisk)
	case row.Kind == ingot.KindRescue:
		hash, err := hashedPassword(req.RescuePassword)
		params[rescuePassword] = hash
		return params, err
	case deploys && len(req.DeploySteps) > 0:
		params["deploy_steps"] = anyList(req.DeploySteps)
		return params, checkSteps("deploy", req.DeploySteps)
	}
	return params, nil
}

// wholeList takes a list of steps that is all that is to be done. A list in which nothing needs a ramdisk boots none, as
// Ironic's; one that was asked to boot none and needs one is refused.
func wholeList(params map[string]any, kind string, steps []map[string]any, without bool) error {
	if len(steps) == 0 {
		return ingot.Errorf(ingot.Invalid, `"%s_steps" is required when setting target provision state to %s`, kind, kind)
	}
	at := slices.IndexFunc(steps, needsRamdisk)
	if without && at >= 0 {
		return ingot.Errorf(ingot.Invalid, "step %s.%s needs the ramdisk: leave disable_ramdisk out", ingot.Text(steps[at], "interface"), ingot.Text(steps[at], "step"))
	}
	params[kind+"_steps"], params["whole_list"], params[disableRamdisk] = anyList(steps), true, at < 0
	return checkSteps(kind, steps)
}

// checkSteps refuses what can be known at once to be wrong in a list of steps.
func checkSteps(kind string, steps []map[string]any) error {
	for _, step := range steps {
		if err := checkFlow(kind, step); err != nil {
			return err
		}
	}
	return nil
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
	if row.Verb == ingot.VerbUnhold {
		row.Target = node.TargetProvisionState
	}
	after := node
	after.ProvisionState, after.TargetProvisionState, after.ProvisionUpdatedAt = row.To, row.Target, now
	history, event := c.transition(&after, node.ProvisionState, node.ProvisionUpdatedAt, req.Requester)
	history.Project = req.Project
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: node.UUID, Version: node.Version, Wake: row.Verb == ingot.VerbUnhold,
		Change: func(n *ingot.Node) error {
			if n.Reservation != "" { // the pass under way has seen the state that this leaves
				return c.locked(n)
			}
			n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt = row.To, row.Target, now
			if row.Verb != ingot.VerbUnhold { // what let go may be failing already
				n.LastError = ""
			}
			return nil
		},
		History: []ingot.History{history}, Events: []ingot.Event{event},
	})
	return err
}
