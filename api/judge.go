package api

import (
	"fmt"
	"strings"

	"github.com/ingot-metal/ingot"
)

// A route names its rule. One that does not depend on whose the thing is is judged before the handler runs; any other
// by the handler, through node, ofNode, allow or scope: the answer of a handler that did none of that is never sent.

// errDenied is Ironic's refusal of what somebody may see but not do.
func errDenied(rule string) error {
	return ingot.Errorf(ingot.Forbidden, "Access was denied to the following resource: baremetal:%s", rule)
}

// may says whether the caller passes a rule for a thing of the holder.
func (r *request) may(name string, of holder) bool {
	if r.rule == public {
		return true
	}
	has := r.held.over(of)
	if r.tables.rules[name]&has != 0 {
		return true
	}
	return !r.api.OwnNodesByAdminOnly && r.tables.rules[name+":self_owned_node"]&has != 0
}

// judgeEarly judges rules that hold for every thing alike.
func (r *request) judgeEarly() error {
	if r.rule == public {
		r.judged = true
		return nil
	}
	_, listed := r.tables.rules[r.rule+"_all"]
	own := r.tables.rules[r.rule+":self_owned_node"]
	if listed || (r.tables.rules[r.rule]|own)&ofProject != 0 || r.param("node") != "" {
		return nil // whether the node can be seen comes first
	}
	return r.allow(holder{})
}

// judgedLast complains of a handler that never judged its rule: a fault of ours, which must not let anybody in.
func (r *request) judgedLast() error {
	if r.judged {
		return nil
	}
	return fmt.Errorf("the handler of %s %s never judged its rule %q: it has to call node, ofNode, allow or scope", r.Method, r.URL.Path, r.rule)
}

// allow judges the route's rule for a thing of the holder that the caller may see.
func (r *request) allow(of holder) error {
	r.judged = true
	if r.may(r.rule, of) {
		return nil
	}
	return errDenied(r.rule)
}

// ofNode judges the route's rule for a thing that belongs to a node (a port, a port group, a volume). Whoever may not
// see the node is told that the thing is missing.
func (r *request) ofNode(uuid string, missing error) error {
	r.about = uuid
	if r.may("node:get", holder{}) && r.may(r.rule, holder{}) {
		r.judged = true
		return nil
	}
	node, err := r.api.Nodes.Node(r.Context(), uuid)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound, err == nil && !r.may("node:get", holderOf(&node)):
		return missing
	case err != nil:
		return err
	}
	return r.allow(holderOf(&node))
}

// scope judges a list's rule: the project whose things the list is confined to, "" for all. asked is the project that the
// client named, if any.
func (r *request) scope(asked string) (string, error) {
	r.judged = true
	return r.scopeOf(strings.TrimSuffix(r.rule, ":list"), asked)
}

// scopeOf is scope for lists of a resource.
func (r *request) scopeOf(resource, asked string) (string, error) {
	if r.may(resource+":list_all", holder{}) {
		return asked, nil
	}
	project := r.who.Project
	switch {
	case project == "" || asked != "" && asked != project:
		return "", errDenied(resource + ":list_all")
	case !r.may(resource+":list", holder{}):
		return "", errDenied(resource + ":list")
	}
	return project, nil
}

// mayPatch judges each operation of a patch by the rule of its field's row or, where it names none, by the route's.
func mayPatch[T, Q any](r *request, table []field[T, Q], ops []patchOp, of holder) error {
	general := len(ops) == 0
	for _, op := range ops {
		general = general || ruleOf(table, op) == ""
	}
	if general {
		if err := r.allow(of); err != nil {
			return err
		}
	}
	r.judged = true
	return mayPatchFields(r, table, ops, of)
}

// mayPatchFields judges the operations on fields whose rows name a rule.
func mayPatchFields[T, Q any](r *request, table []field[T, Q], ops []patchOp, of holder) error {
	for _, op := range ops {
		if name := ruleOf(table, op); name != "" && !r.may(name, of) {
			return errDenied(name)
		}
	}
	return nil
}

// ruleOf is the rule that an operation's field names for it, "" for none.
func ruleOf[T, Q any](table []field[T, Q], op patchOp) string {
	for i := range table {
		if f := &table[i]; f.name == op.steps[0] && (f.ruled == nil || f.ruled(op)) {
			return f.rule
		}
	}
	return ""
}

// redacted is what stands in the place of a value, in Ironic's words, which differ from one to the next.
func redacted(see string) any {
	name := "baremetal:" + see
	switch see {
	case "node:get:last_error":
		return "** Value Redacted - Requires " + name + " permission. **"
	case "node:get:driver_info":
		return map[string]any{"content": "** Redacted - requires " + name + " permission. **"}
	case "node:get:driver_internal_info":
		return map[string]any{"content": "** Redacted - Requires " + name + " permission. **"}
	case "volume:view_target_properties":
		return map[string]any{"redacted_contents": "** Value redacted: Requires permission " + name + " access. Permission denied. **"}
	}
	return "** Redacted - requires " + name + " permission. **"
}

// setsFalse says whether an operation writes false, in any of the words for it.
func setsFalse(op patchOp) bool {
	on, err := boolean("", op.value)
	return op.op != "remove" && err == nil && !on
}
