package api

import (
	"context"
	"net/http"
	"time"

	"github.com/ingot-metal/ingot"
)

// Provisioner carries out what users ask of nodes. The API has judged the request by the node that it passes; the
// implementation judges again under that node's version, and answers Conflict or Locked when the world has moved on.
// When it returns nil the request is accepted: it ends in exactly one outcome.
type Provisioner interface {
	// Provision starts the verb's operation, or changes the state at once where the verb needs none.
	Provision(ctx context.Context, node ingot.Node, req ingot.ProvisionRequest) error
	// SetPower starts the way to the target; timeout 0 is the service's own.
	SetPower(ctx context.Context, node ingot.Node, target ingot.PowerTarget, timeout time.Duration) error
	// Validate gives a verdict on each interface, by its kind.
	Validate(ctx context.Context, node ingot.Node) (map[string]ingot.Verdict, error)
}

// showStates is GET /v1/nodes/{node}/states.
func showStates(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	words := []string{
		"console_enabled", "last_error", "power_state", "provision_state", "target_power_state",
		"target_provision_state", "provision_updated_at", "raid_config", "target_raid_config", "boot_mode", "secure_boot",
	}
	shown := viewOf(r, r.tables.nodes, words)
	body := shown.render(&node, 0)
	shown.redact(r, body, holderOf(&node))
	body.replace("provision_state", r.wireState(node.ProvisionState))
	return response{body: body}, nil
}

// accepted is the answer to a request that goes on after it.
func (r *request) accepted() response {
	return response{status: http.StatusAccepted, location: "nodes/" + r.param("node") + "/states"}
}

// setPower is PUT /v1/nodes/{node}/states/power.
func setPower(r *request) (response, error) {
	a := r.args("target", "timeout")
	a.need("target")
	target, timeout := ingot.PowerTarget(a.text("target")), a.integer("timeout")
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	seconds := 0
	if timeout != nil {
		seconds = *timeout
	}
	if err := r.powerAllowed(&node, target, timeout); err != nil {
		return response{}, err
	}
	if err := r.sparesGuests(&node, target); err != nil {
		return response{}, err
	}
	if err := r.hostIsOn(&node, target); err != nil {
		return response{}, err
	}
	if err := r.api.Provisioner.SetPower(r.Context(), node, target, time.Duration(seconds)*time.Second); err != nil {
		return response{}, err
	}
	return r.accepted(), nil
}

func (r *request) powerAllowed(n *ingot.Node, target ingot.PowerTarget, timeout *int) error {
	soft := target == ingot.TargetSoftOff || target == ingot.TargetSoftReboot
	off := target == ingot.TargetPowerOff || target == ingot.TargetSoftOff
	switch {
	case (soft || timeout != nil) && !r.since(27):
		return errNotAcceptable()
	case timeout != nil && *timeout < 1:
		return ingot.Errorf(ingot.Invalid, "timeout has to be positive integer")
	case !soft && !off && target != ingot.TargetPowerOn && target != ingot.TargetReboot:
		state := string(n.PowerState)
		if state == "" {
			state = "None"
		}
		return errState(string(target), r.param("node"), state)
	case n.ProvisionState == ingot.Cleaning, n.ProvisionState == ingot.CleanWait:
		return errState(string(target), r.param("node"), string(n.ProvisionState))
	case off && n.DisablePowerOff:
		return ingot.Errorf(ingot.Conflict, "Failed to set node power state to %s.", target)
	}
	return nil
}

// errState is Ironic's InvalidStateRequested.
func errState(action, node, state string) error {
	return ingot.Errorf(ingot.Invalid, `The requested action "%s" can not be performed on node "%s" while it is in state "%s".`, action, node, state)
}

// validateNode is GET /v1/nodes/{node}/validate, and GET /v1/nodes/validate?node= of old clients.
func validateNode(r *request) (response, error) {
	a := r.args("node", "node_uuid")
	named, byUUID := a.ident("node"), a.uuid("node_uuid")
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.validated(named, byUUID)
	if err != nil {
		return response{}, err
	}
	verdicts, err := r.api.Provisioner.Validate(r.Context(), node)
	if err != nil {
		return response{}, err
	}
	body := make(map[string]any, len(verdicts))
	for kind, v := range verdicts {
		item := map[string]any{"result": v.Result}
		if v.Reason != "" {
			item["reason"] = v.Reason
		}
		body[kind] = item
	}
	return response{body: body}, nil
}

func (r *request) validated(named, byUUID string) (ingot.Node, error) {
	switch {
	case r.param("node") != "":
		return r.node()
	case byUUID != "":
		named = byUUID
	case named == "":
		return ingot.Node{}, ingot.Errorf(ingot.Invalid, "Missing mandatory parameter: node")
	}
	node, err := r.nodeNamed(named)
	if err != nil {
		return node, err
	}
	return node, r.allow(holderOf(&node))
}
