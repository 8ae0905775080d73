package conductor

import (
	"slices"

	"github.com/ingot-metal/ingot"
)

// disallows says whether the operator allows a step to nobody. Such steps of agents, drivers and templates are left out, as
// in Ironic.
func (c *Conductor) disallows(kind, of, step string) bool {
	list, set := c.Settings.Disallowed[kind]
	if !set {
		list = []string{"vendor.send_raw"}
	}
	return slices.Contains(list, of+"."+step)
}

// checkAllowed refuses steps of a request that the operator allows to nobody.
func (c *Conductor) checkAllowed(req *ingot.ProvisionRequest) error {
	for kind, steps := range map[string][]map[string]any{"clean": req.CleanSteps, "deploy": req.DeploySteps, "service": req.ServiceSteps} {
		for _, s := range steps {
			if of, step := ingot.Text(s, "interface"), ingot.Text(s, "step"); c.disallows(kind, of, step) {
				return ingot.Errorf(ingot.Invalid, "%s step '%s.%s' is not allowed. Disallowed by operator configuration [api]disallow_%s_steps.", kind, of, step, kind)
			}
		}
	}
	return nil
}
