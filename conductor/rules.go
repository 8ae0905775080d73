package conductor

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/ingot-metal/ingot"
)

// Rules are the store's inspection rules.
type Rules interface {
	List(ctx context.Context, query ingot.RuleQuery) ([]ingot.InspectionRule, error)
}

// ruling is one inspection's rules at work: on copies, of which the pass commits what they touched.
type ruling struct {
	r         *Run
	node      ingot.Node
	ports     []ingot.Port // those that the node has, and those that this inspection found
	inventory map[string]any
	plugin    map[string]any
	touched   map[string]bool // attributes of the node
	portsSet  map[string]bool // UUIDs of the ports that were changed
	item      any             // of the loop under way
	looping   bool
}

// applyRules carries out the inspection rules on an agent's report, the highest priority first: on the node, its ports and
// the report's plug-in data. A rule that fails fails the inspection, and nothing of what rules did is kept.
func (r *Run) applyRules(ctx context.Context, report *inspection) error {
	rules, err := r.c.inspectionRules(ctx)
	if err != nil || len(rules) == 0 {
		return err
	}
	u, err := r.newRuling(report)
	if err != nil {
		return err
	}
	for i := range rules {
		if err := u.apply(ctx, &rules[i]); err != nil {
			return ingot.Fatalf("Failed to finish inspection: rule %s: %w", rules[i].UUID, err)
		}
	}
	report.Plugin = u.plugin
	u.commit()
	return nil
}

// inspectionRules are all rules in the order in which they are carried out.
func (c *Conductor) inspectionRules(ctx context.Context) ([]ingot.InspectionRule, error) {
	rules := slices.Clone(c.BuiltInRules)
	if c.Rules != nil {
		stored, err := c.Rules.List(ctx, ingot.RuleQuery{Phase: ingot.RulePhase, Page: ingot.Page{Limit: -1}})
		if err != nil {
			return nil, err
		}
		rules = append(stored, rules...)
	}
	slices.SortStableFunc(rules, func(a, b ingot.InspectionRule) int { return cmp.Compare(b.Priority, a.Priority) })
	return rules, nil
}

func (r *Run) newRuling(report *inspection) (*ruling, error) {
	u := &ruling{
		r: r, node: *r.Node, ports: slices.Concat(r.Ports, r.newPorts), plugin: map[string]any{},
		touched: map[string]bool{}, portsSet: map[string]bool{},
	}
	data, err := json.Marshal(report.Inventory)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &u.inventory); err != nil {
		return nil, err
	}
	if report.Plugin != nil {
		u.plugin, _ = deepCopy(report.Plugin).(map[string]any)
	}
	return u, nil
}

// apply carries out one rule, if its conditions hold.
func (u *ruling) apply(ctx context.Context, rule *ingot.InspectionRule) error {
	for _, condition := range rule.Conditions {
		holds, err := u.holds(condition)
		if err != nil || !holds {
			return err
		}
	}
	for _, action := range rule.Actions {
		err := u.each(action, func(args map[string]any) error { return u.act(ctx, ingot.Text(action, "op"), args) })
		if err != nil {
			return err
		}
	}
	return nil
}

// each calls do with the arguments of an operation: once or, where it loops, for every item.
func (u *ruling) each(given map[string]any, do func(args map[string]any) error) error {
	op, _ := ingot.Inverted(ingot.Text(given, "op"))
	signature, known := ingot.RuleActions()[op]
	if !known {
		signature = ingot.RuleOperators()[op]
	}
	items := []any{nil}
	loop := given["loop"]
	switch loop := loop.(type) {
	case []any:
		u.looping, items = len(loop) > 0, loop
		if len(loop) == 0 {
			items = []any{nil}
		}
	case map[string]any:
		u.looping, items = true, []any{loop}
	}
	defer func() { u.looping, u.item = false, nil }()
	for _, item := range items {
		u.item = item
		args, err := signature.Arguments(given["args"])
		if err != nil {
			return err
		}
		if err := do(u.formatted(op, signature, args)); err != nil {
			return err
		}
	}
	return nil
}

// commit has the pass write what the rules touched.
func (u *ruling) commit() {
	names := slices.Sorted(maps.Keys(u.touched))
	node := u.node
	node.DriverInfo, node.InstanceInfo = ingot.Seal(node.DriverInfo), ingot.Seal(node.InstanceInfo)
	u.r.Change(func(n *ingot.Node) {
		for _, name := range names {
			copyAttribute(nodeAttribute(n, name), nodeAttribute(&node, name))
		}
	})
	known := len(u.r.Ports)
	for i := range u.ports {
		port := u.ports[i]
		switch {
		case i >= known:
			u.r.newPorts[i-known] = port
		case u.portsSet[port.UUID]:
			u.r.portChanges = append(u.r.portChanges, ingot.PortChange{UUID: port.UUID, Change: func(p *ingot.Port) error {
				for _, name := range portAttributes() {
					copyAttribute(portAttribute(p, name), portAttribute(&port, name))
				}
				return nil
			}})
		}
	}
}

// deepCopy copies a JSON value.
func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = deepCopy(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = deepCopy(item)
		}
		return out
	}
	return v
}
