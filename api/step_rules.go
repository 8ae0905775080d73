package api

import (
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// StepRules are the operator's rules of single steps, "bios.factory_reset": who may ask for them, each a role in a scope,
// "system:admin", "owner:manager", "lessee:member" or "any:reader"; whoever has the one role of a scope has those below it, too.
// A step without a rule is open to all who may give steps (Ironic: policy rules baremetal:step:execute:INTERFACE.STEP).
type StepRules map[string]grants

// ParseStepRules reads them as an operator writes them.
func ParseStepRules(written map[string][]string) (StepRules, error) {
	rules := StepRules{}
	for step, words := range written {
		kind, name, ok := strings.Cut(step, ".")
		if !ok || name == "" || !slices.Contains(stepInterfaces(), kind) {
			return nil, ingot.Errorf(ingot.Invalid, "cannot use the rule of step %q: it is not INTERFACE.STEP", step)
		}
		rules[step] = 0 // without a word: nobody
		for _, word := range words {
			grant, ok := grantNamed(word)
			if !ok {
				return nil, ingot.Errorf(ingot.Invalid, "cannot use the rule of step %s: %q is not SCOPE:ROLE, with a scope of system, owner, lessee or any, and a role of admin, manager, member, reader or service", step, word)
			}
			rules[step] |= grant
		}
	}
	return rules, nil
}

// grantNamed is the grant of SCOPE:ROLE.
func grantNamed(word string) (grants, bool) {
	scope, role, _ := strings.Cut(word, ":")
	for _, row := range grantTable() {
		if row.role == role {
			grant, ok := map[string]grants{"system": row.system, "owner": row.owner, "lessee": row.lessee, "any": row.any}[scope]
			return grant, ok
		}
	}
	return 0, false
}

// mayCarryOut holds steps against their rules for a node of the holder; the zero holder is nobody's, as for a runbook that is
// yet to be used (Ironic: validate_user_steps_policy).
func (r *request) mayCarryOut(of holder, lists ...[]map[string]any) error {
	var refused []string
	has := r.held.over(of)
	for _, step := range slices.Concat(lists...) {
		kind, name := ingot.Text(step, "interface"), ingot.Text(step, "step")
		if rule, there := r.api.StepRules[kind+"."+name]; there && rule&has == 0 {
			refused = append(refused, "insufficient privileges to execute step "+name+" on interface "+kind)
		}
	}
	if refused == nil {
		return nil
	}
	return ingot.Errorf(ingot.Forbidden, "%s", strings.Join(refused, "; "))
}
