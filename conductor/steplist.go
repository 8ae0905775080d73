package conductor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/ingot-metal/ingot"
)

// The slot of a plan: a list of steps that is collected from the agent, the plan and the user, and frozen when the
// operation gets there.

// The slot's two plan steps.
const (
	collectSteps = "collect-steps"
	runSteps     = "run-steps"
)

// collect is the step that asks the agent which steps it has, merges them with the plan's, the templates' and the user's,
// and freezes the list. kind is clean, deploy or service, as the agent's commands are named; own are the plan's steps, nil for none.
func (c *Conductor) collect(kind string, own func(r *Run) ([]ingot.OperationStep, error)) Step {
	return Step{Name: collectSteps, Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		var offered []ingot.OperationStep
		if !r.withoutRamdisk() {
			if back, lost := r.agentLost(); lost {
				return back, nil
			}
			answer, err := r.askAgent(ctx, ingot.AgentRequest{
				Name: kind + ".get_" + kind + "_steps", Params: map[string]any{"node": r.wireNode(), "ports": r.wirePorts()},
			})
			if err != nil {
				return r.unreachable(ctx, err)
			}
			r.Remember("hardware_manager_version", answer.Result["hardware_manager_version"])
			offered = agentSteps(kind, answer.Result)
		}
		offered = append(offered, c.driverOffers(r.Node, kind)...)
		if kind == "clean" {
			c.reprioritise(offered)
		}
		kept, err := c.keptSteps(ctx, r, kind)
		if err != nil {
			return Progress{}, err
		}
		steps, err := mergeSteps(kind, offered, kept, own, r)
		if err != nil {
			return Progress{}, ingot.Fatal(err)
		}
		r.Freeze(steps)
		return Holds(), nil
	}}
}

// reprioritise gives cleaning steps the operator's priorities.
func (c *Conductor) reprioritise(steps []ingot.OperationStep) {
	for i := range steps {
		if priority, set := c.Settings.CleanPriorities[steps[i].Interface+"."+steps[i].Step]; set {
			steps[i].Priority = priority
		}
	}
}

// agentSteps reads {kind}_steps: {manager: [step, …]}.
func agentSteps(kind string, result map[string]any) []ingot.OperationStep {
	managers, _ := result[kind+"_steps"].(map[string]any)
	var steps []ingot.OperationStep
	for _, list := range managers {
		items, _ := list.([]any)
		for _, item := range items {
			m, ok := item.(map[string]any)
			if !ok {
				continue
			}
			priority, _ := m["priority"].(float64)
			abortable, _ := m["abortable"].(bool)
			args, _ := m["args"].(map[string]any)
			steps = append(steps, ingot.OperationStep{
				Interface: ingot.Text(m, "interface"), Step: ingot.Text(m, "step"), Args: args,
				Priority: int(priority), Abortable: abortable, Source: "agent",
			})
		}
	}
	return steps
}

// keptSteps are those of the runbook that cleans, or of the deploy templates.
func (c *Conductor) keptSteps(ctx context.Context, r *Run, kind string) ([]ingot.OperationStep, error) {
	if ingot.Text(r.Op.Memory, cleaningRunbook) != "" {
		return c.bookSteps(ctx, r)
	}
	return c.templateSteps(ctx, kind, r.Node)
}

// wholeList says whether what was asked for is the whole list: a user's of a manual cleaning or a service, or a runbook's.
func (r *Run) wholeList() bool {
	return r.Op.Params["whole_list"] == true || ingot.Text(r.Op.Memory, cleaningRunbook) != ""
}

// mergeSteps puts the lists together: what the user asks for replaces a kept step of the same name, and that one the
// agent's or the plan's; what has priority 0 is off; the highest priority comes first, and Ironic's order of interfaces decides
// between equals. A whole list keeps its order.
func mergeSteps(kind string, agent, kept []ingot.OperationStep, own func(*Run) ([]ingot.OperationStep, error), r *Run) ([]ingot.OperationStep, error) {
	var mine []ingot.OperationStep
	if own != nil {
		var err error
		if mine, err = own(r); err != nil {
			return nil, err
		}
	}
	user, err := askedSteps(kind, r, kept, agent, mine)
	if err != nil {
		return nil, err
	}
	var steps []ingot.OperationStep
	if r.wholeList() {
		steps = user
	} else {
		steps = overlay(append(agent, mine...), user)
		slices.SortStableFunc(steps, func(a, b ingot.OperationStep) int {
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(rank(b.Interface), rank(a.Interface)), cmp.Compare(a.Step, b.Step))
		})
	}
	steps = slices.DeleteFunc(steps, func(s ingot.OperationStep) bool { return r.c.disallows(kind, s.Interface, s.Step) })
	steps = expandFlow(steps)
	for i := range steps {
		steps[i].Position, steps[i].State = i, ingot.StepPending
	}
	return steps, nil
}

// askedSteps are the user's steps and those kept that the user does not have, each of which somebody here can
// carry out.
func askedSteps(kind string, r *Run, kept, agent, mine []ingot.OperationStep) ([]ingot.OperationStep, error) {
	asked, err := userSteps(r, kind)
	if err != nil {
		return nil, err
	}
	for _, step := range kept {
		if !hasStep(asked, step) {
			asked = append(asked, step)
		}
	}
	for i := range asked {
		if asked[i].Node != "" { // judged when it was asked for
			continue
		}
		offer, err := known(asked[i], agent, mine)
		if err != nil {
			return nil, err
		}
		asked[i].Abortable = offer.Abortable
		if err := complete(asked[i]); err != nil {
			return nil, err
		}
		if !hasStep(mine, asked[i]) {
			continue
		}
		if len(asked[i].Args) > 0 {
			return nil, ingot.Errorf(ingot.Invalid, "step %s.%s has these unexpected arguments: %v", asked[i].Interface, asked[i].Step, slices.Sorted(maps.Keys(asked[i].Args)))
		}
		asked[i].Source = "plan" // whoever asks for it, the plan carries it out
	}
	return asked, nil
}

// overlay replaces steps by the user's of the same name, adds the others, and leaves out what has priority 0.
func overlay(steps, user []ingot.OperationStep) []ingot.OperationStep {
	var out []ingot.OperationStep
	for _, s := range steps {
		if !hasStep(user, s) && s.Priority > 0 {
			out = append(out, s)
		}
	}
	for _, u := range user {
		if u.Priority > 0 {
			out = append(out, u)
		}
	}
	return out
}

// hasStep says whether a list has a step of the name.
func hasStep(list []ingot.OperationStep, step ingot.OperationStep) bool {
	return slices.ContainsFunc(list, func(s ingot.OperationStep) bool { return s.Interface == step.Interface && s.Step == step.Step })
}

// rank is Ironic's order among steps of one priority.
func rank(kind string) int {
	return slices.Index([]string{"raid", "bios", "deploy", "firmware", "management", "power", "vendor"}, kind)
}

// known is a step as it is offered; one that nothing here can carry out is refused, naming those that there are.
func known(step ingot.OperationStep, lists ...[]ingot.OperationStep) (offer ingot.OperationStep, err error) {
	if reserved(step.Step) {
		return step, nil
	}
	var names []string
	for _, list := range lists {
		for _, s := range list {
			if s.Interface == step.Interface && s.Step == step.Step {
				return s, nil
			}
			names = append(names, s.Interface+"."+s.Step)
		}
	}
	slices.Sort(names)
	return step, ingot.Errorf(ingot.Invalid, "cannot carry out step %s.%s: this node's agent and drivers have %v", step.Interface, step.Step, names)
}

// userSteps reads the steps of the request.
func userSteps(r *Run, kind string) ([]ingot.OperationStep, error) {
	items, _ := r.Op.Params[kind+"_steps"].([]any)
	steps := make([]ingot.OperationStep, 0, len(items))
	for i, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			return nil, ingot.Errorf(ingot.Invalid, "step %d of %s_steps is not an object", i+1, kind)
		}
		steps = append(steps, onChildren(m, askedStep(m, "user"))...)
	}
	return steps, nil
}

// askedStep reads a step that somebody asks for; its priority may be text.
func askedStep(m map[string]any, source string) ingot.OperationStep {
	priority, given := m["priority"].(float64)
	if n, err := strconv.Atoi(ingot.Text(m, "priority")); err == nil {
		priority, given = float64(n), true
	}
	if !given {
		priority = 1
	}
	args, _ := m["args"].(map[string]any)
	return ingot.OperationStep{Interface: ingot.Text(m, "interface"), Step: ingot.Text(m, "step"), Args: args, Priority: int(priority), Source: source}
}

// slot is the step that carries the frozen list out, one after the other. own carries out the plan's own steps, the
// node's driver those that it has; all else is the agent's.
func (c *Conductor) slot(kind string, own map[string]func(context.Context, *Run) (Progress, error)) Step {
	return Step{Name: runSteps, Class: Once, Timeout: c.Settings.CommandTimeout, Do: func(ctx context.Context, r *Run) (Progress, error) {
		if r.Op.Slot >= len(r.Steps) {
			r.showStep(kind, nil)
			return Holds(), nil
		}
		step := r.Steps[r.Op.Slot]
		r.showStep(kind, &step)
		if step.State == ingot.StepPending {
			r.setStep(ingot.StepRunning)
		}
		var p Progress
		var err error
		driver := c.driverStep(r.Node, kind, step)
		switch do := own[step.Step]; {
		case step.Node != "":
			p, err = c.childStep(ctx, r, kind, step)
		case step.Source == flowSource:
			p, err = c.flowStep(ctx, r, step)
		case do != nil && step.Source == "plan":
			p, err = do(ctx, r)
		case driver != nil:
			p, err = driver(ctx, r, step.Args)
		default:
			p, err = r.agentStep(ctx, kind, step)
		}
		return r.endSlot(step, p, err)
	}}
}

// endSlot writes how a frozen step ended.
func (r *Run) endSlot(step ingot.OperationStep, p Progress, err error) (Progress, error) {
	switch {
	case ingot.IsFatal(err):
		r.setStep(ingot.StepFailed)
		return p, &ingot.Error{Code: ingot.Permanent, Err: fmt.Errorf("step %s.%s failed: %w", step.Interface, step.Step, err)}
	case err == nil && p.holds:
		r.setStep(ingot.StepDone)
		return NextSlot(), nil
	}
	return p, err
}

// agentStep has the agent carry out one step of a list.
func (r *Run) agentStep(ctx context.Context, kind string, step ingot.OperationStep) (Progress, error) {
	id := r.commandID()
	wire := map[string]any{"interface": step.Interface, "step": step.Step, "priority": step.Priority, "abortable": step.Abortable, idKey: id}
	if step.Args != nil {
		wire["args"] = step.Args
	}
	return r.once(ctx, call{ours: carries("execute_"+kind+"_step", "step", idKey, id), done: r.agentRAID(kind, step), request: ingot.AgentRequest{
		Name: kind + ".execute_" + kind + "_step", Params: map[string]any{
			"step": wire, "node": r.wireNode(), "ports": r.wirePorts(), kind + "_version": r.Op.Memory["hardware_manager_version"],
		},
	}})
}

// showStep puts the running step where clients look for it (clean_step, deploy_step, service_step); nil clears it. A
// mark that a user set meanwhile (abortAfter) stays, so that the next pass finds it.
func (r *Run) showStep(kind string, step *ingot.OperationStep) {
	var shown map[string]any
	if step != nil {
		name := firstText(ingot.Text(step.Args, shownAs), step.Step)
		shown = map[string]any{"interface": step.Interface, "step": name, "priority": step.Priority, "abortable": step.Abortable}
		if step.Node != "" {
			shown[onChildNodes], shown[limitChildren] = true, []any{step.Node}
		}
	}
	now := *shownStep(r.Node, kind)
	if now["step"] == shown["step"] && now["interface"] == shown["interface"] && reflect.DeepEqual(now[limitChildren], shown[limitChildren]) {
		return
	}
	r.Change(func(n *ingot.Node) {
		place := shownStep(n, kind)
		marked := (*place)[abortAfter]
		*place = maps.Clone(shown)
		if marked != nil {
			if *place == nil {
				*place = map[string]any{}
			}
			(*place)[abortAfter] = marked
		}
	})
}

// shownStep is the field of a node with the running step of a kind of list.
func shownStep(n *ingot.Node, kind string) *map[string]any {
	switch kind {
	case "clean":
		return &n.CleanStep
	case "service":
		return &n.ServiceStep
	}
	return &n.DeployStep
}
