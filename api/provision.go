package api

import (
	"regexp"
	"strings"

	"github.com/ingot-metal/ingot"
)

// provisionArgs are the parameters of PUT states/provision, read.
type provisionArgs struct {
	target   string // as the client wrote it
	verb     ingot.Verb
	req      ingot.ProvisionRequest
	ramdisk  *bool
	runbook  string // name or UUID, instead of steps
	password *string
}

// setProvision is PUT /v1/nodes/{node}/states/provision. The order of the checks is Ironic's.
func setProvision(r *request) (response, error) {
	p, err := r.provisionArgs()
	if err != nil {
		return response{}, err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if err := r.maySteps(&p, holderOf(&node)); err != nil {
		return response{}, err
	}
	for _, check := range []func(*provisionArgs, *ingot.Node) error{
		r.checkVerb, r.checkNode, r.checkTransition, r.checkConfigDrive, r.checkRunbook, r.checkLateVerb, r.checkRamdisk, r.checkSteps, r.checkPassword, r.checkFlags,
	} {
		if err := check(&p, &node); err != nil {
			return response{}, err
		}
	}
	if err := r.api.Provisioner.Provision(r.Context(), node, p.req); err != nil {
		return response{}, err
	}
	return r.accepted(), nil
}

func (r *request) provisionArgs() (provisionArgs, error) {
	a := r.args("target", "configdrive", "clean_steps", "deploy_steps", "service_steps", "rescue_password", "disable_ramdisk", "runbook")
	a.need("target")
	p := provisionArgs{target: a.text("target"), ramdisk: a.flag("disable_ramdisk"), runbook: a.text("runbook")}
	p.verb = ingot.Verb(p.target)
	switch p.target {
	case "deploy":
		p.verb = ingot.VerbActive
	case "undeploy":
		p.verb = ingot.VerbDeleted
	}
	if a.has("rescue_password") {
		password := a.text("rescue_password")
		p.password = &password
	}
	p.req = ingot.ProvisionRequest{
		Verb:           p.verb,
		ConfigDrive:    a.values["configdrive"],
		CleanSteps:     a.steps("clean_steps"),
		DeploySteps:    a.steps("deploy_steps"),
		ServiceSteps:   a.steps("service_steps"),
		DisableRamdisk: p.ramdisk != nil && *p.ramdisk,
		Requester:      r.who.User,
		Project:        r.who.Project,
	}
	if p.password != nil {
		p.req.RescuePassword = ingot.Secret(*p.password)
	}
	return p, a.err
}

// maySteps judges whether the caller may give steps of their own, and these. A runbook's are judged when it has been found.
func (r *request) maySteps(p *provisionArgs, of holder) error {
	if p.runbook != "" {
		return nil
	}
	for _, rule := range []struct {
		name  string
		steps []map[string]any
	}{
		{"node:set_provision_state:clean_steps", p.req.CleanSteps}, {"node:set_provision_state:service_steps", p.req.ServiceSteps},
	} {
		if len(rule.steps) > 0 && !r.may(rule.name, of) {
			return errDenied(rule.name)
		}
	}
	return r.mayCarryOut(of, p.req.DeploySteps, p.req.CleanSteps, p.req.ServiceSteps)
}

// steps is a list of objects.
func (a *args) steps(name string) []map[string]any {
	list, ok := a.values[name].([]any)
	if !ok {
		if a.has(name) {
			a.fail(ingot.Errorf(ingot.Invalid, "Expected types <class 'NoneType'>, <class 'list'> for %s: %s", name, repr(a.values[name])))
		}
		return nil
	}
	steps := make([]map[string]any, len(list))
	for i, item := range list {
		if steps[i], ok = item.(map[string]any); !ok {
			a.fail(ingot.Errorf(ingot.Invalid, "Invalid %s: %s is not of type 'object'", name, repr(item)))
		}
	}
	return steps
}

// verbSince is the version that brought a verb; the others are of the first one.
func verbSince(target string) int {
	switch target {
	case "manage", "provide":
		return 4
	case "inspect":
		return 6
	case "abort":
		return 13
	case "clean":
		return 15
	case "adopt":
		return 17
	case "rescue", "unrescue":
		return 38
	case "deploy", "undeploy":
		return 73
	}
	return 1
}

func (r *request) checkVerb(p *provisionArgs, _ *ingot.Node) error {
	if !r.since(verbSince(p.target)) {
		return errNotAcceptable()
	}
	return nil
}

// checkNode applies what a node's flags refuse before its state is looked at.
func (r *request) checkNode(p *provisionArgs, n *ingot.Node) error {
	deploys := p.verb == ingot.VerbActive || p.verb == ingot.VerbRebuild
	if deploys && n.Maintenance {
		return ingot.Errorf(ingot.Invalid, "The provisioning operation can't be performed on node %s because it's in maintenance mode.", n.UUID)
	}
	return nil
}

// checkTransition looks the verb up in the state table. A node that is being worked on answers 409 instead of 400, as in
// Ironic: it may be in another state soon. (Ironic's nodes are reserved throughout a working state; Ingot's only while a pass runs.)
func (r *request) checkTransition(p *provisionArgs, n *ingot.Node) error {
	if _, ok := ingot.Next(n.ProvisionState, p.verb); !ok {
		if n.Reservation != "" || n.ProvisionState.Class() == ingot.Working {
			return errLocked(n)
		}
		return errState(p.target, n.UUID, string(n.ProvisionState))
	}
	return nil
}

// checkFlags applies what a node's flags refuse of a verb that its state allows.
func (r *request) checkFlags(p *provisionArgs, n *ingot.Node) error {
	switch {
	case n.Protected && (p.verb == ingot.VerbDeleted || p.verb == ingot.VerbRebuild):
		return errProtected(n)
	case n.Retired && p.verb == ingot.VerbProvide:
		return ingot.Errorf(ingot.Invalid, "The providing operation can't be performed on node %s because it is retired.", n.UUID)
	}
	return nil
}

// checkLateVerb refuses what came with a version of its own in a state that an older client does not know. Ironic looks at
// these after the state.
func (r *request) checkLateVerb(p *provisionArgs, n *ingot.Node) error {
	since := 1
	switch {
	case p.verb == ingot.VerbUnhold:
		since = 85
	case p.verb == ingot.VerbService:
		since = 87
	case p.verb == ingot.VerbAbort && n.ProvisionState == ingot.InspectWait:
		since = 41
	case p.verb == ingot.VerbAbort && n.ProvisionState == ingot.DeployWait:
		since = 110
	}
	if !r.since(since) {
		return errNotAcceptable()
	}
	return nil
}

// base64Pattern also takes line breaks and spaces, which are common in such text.
var base64Pattern = regexp.MustCompile(`^[A-Za-z0-9+/=\s]*$`)

func (r *request) checkConfigDrive(p *provisionArgs, _ *ingot.Node) error {
	switch v := p.req.ConfigDrive.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			p.req.ConfigDrive = nil
			return nil
		}
	case map[string]any:
		if len(v) == 0 {
			p.req.ConfigDrive = nil
			return nil
		}
	}
	allowed := []string{"active"}
	if r.since(35) {
		allowed = append(allowed, "rebuild")
	}
	if !contains(allowed, p.target) { // nor with the alias deploy, as in Ironic
		return ingot.Errorf(ingot.Invalid, "Adding a config drive is only supported when setting provision state to %s", strings.Join(allowed, ", "))
	}
	switch v := p.req.ConfigDrive.(type) {
	case string:
		if !strings.Contains(v, "://") && !base64Pattern.MatchString(v) {
			return ingot.Errorf(ingot.Invalid, "Invalid configdrive format: it is neither a JSON, nor a URL, nor a base64 string")
		}
		return nil
	case map[string]any:
		return r.checkDriveObject(v)
	}
	return ingot.Errorf(ingot.Invalid, "Invalid configdrive format: it is neither an object nor a string")
}

func (r *request) checkDriveObject(drive map[string]any) error {
	for key, v := range drive {
		switch key {
		case "meta_data", "network_data", "vendor_data":
			if _, ok := v.(map[string]any); !ok {
				return ingot.Errorf(ingot.Invalid, "Invalid configdrive format: %s is not of type 'object'", key)
			}
		case "user_data":
			switch v.(type) {
			case nil, string, map[string]any, []any:
			default:
				return ingot.Errorf(ingot.Invalid, "Invalid configdrive format: user_data is not of type 'object', 'array', 'string', 'null'")
			}
		default:
			return ingot.Errorf(ingot.Invalid, "Invalid configdrive format: Additional properties are not allowed (%s was unexpected)", ingot.ReprString(key))
		}
	}
	_, vendor := drive["vendor_data"]
	switch {
	case !r.since(56):
		return ingot.Errorf(ingot.Invalid, "Providing a JSON object for configdrive is only supported starting with API version 1.56")
	case vendor && !r.since(59):
		return ingot.Errorf(ingot.Invalid, "Providing vendor_data in configdrive is only supported starting with API version 1.59")
	}
	return nil
}

func (r *request) checkRamdisk(p *provisionArgs, _ *ingot.Node) error {
	tooOld := p.verb == ingot.VerbClean && !r.since(70) || p.verb == ingot.VerbService && !r.since(108)
	switch {
	case p.ramdisk == nil:
		return nil
	case p.verb != ingot.VerbClean && p.verb != ingot.VerbService:
		return ingot.Errorf(ingot.Invalid, "disable_ramdisk is supported only with manual cleaning or servicing")
	case tooOld:
		return ingot.Errorf(ingot.NotAcceptable, "disable_ramdisk is not acceptable in this API version")
	}
	return nil
}

func (r *request) checkPassword(p *provisionArgs, _ *ingot.Node) error {
	switch {
	case p.password != nil && p.verb != ingot.VerbRescue:
		return ingot.Errorf(ingot.Invalid, `"rescue_password" is only valid when setting target provision state to rescue`)
	case p.verb == ingot.VerbRescue && (p.password == nil || strings.TrimSpace(*p.password) == ""):
		return ingot.Errorf(ingot.Invalid, `A non-empty "rescue_password" is required when setting target provision state to rescue`)
	}
	return nil
}
