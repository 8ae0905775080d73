// Package steps offers the agent's clean, deploy and service steps: which there are, and carrying one out
// (ironic-python-agent's extensions clean, deploy and service).
package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
)

// Kind is a list of steps.
type Kind string

// The kinds, as the commands are named.
const (
	Clean   Kind = "clean"
	Deploy  Kind = "deploy"
	Service Kind = "service"
)

// Step is something that can be done to the machine in a list of steps.
type Step struct {
	Name string
	// In says in which kinds it is offered, and with which priority: 0 is only on request.
	In        map[Kind]int
	Interface string // deploy, raid
	Abortable bool
	Args      map[string]Arg
	Run       func(ctx context.Context, call *Call) (any, error)
}

// Arg describes an argument as Ironic shows it (argsinfo).
type Arg struct {
	Description string `json:"description"`
	Required    bool   `json:"required"`
}

// Call is a step under way: its parameters are the step's arguments.
type Call struct {
	*command.Call
	Node map[string]any // as Ironic sent it
	Args command.Params
}

// manager is the name of the agent's one hardware manager, in Ironic's words.
const (
	manager = "IngotHardwareManager"
	name    = "ingot_hardware_manager"
	version = "1.0" // changes with what a step list means: Ironic then collects the list again
)

// Commands gives get_KIND_steps and execute_KIND_step for the three kinds.
func Commands(nodes *target.Chooser, offered []Step) []command.Command {
	var out []command.Command
	for _, kind := range []Kind{Clean, Deploy, Service} {
		l := list{kind: kind, nodes: nodes, steps: offered}
		get := fmt.Sprintf("%s.get_%s_steps", kind, kind)
		execute := fmt.Sprintf("%s.execute_%s_step", kind, kind)
		out = append(out,
			command.Command{Name: get, Takes: []string{"node", "ports"}, Run: l.get},
			command.Command{Name: execute, Open: true, Async: true, Run: l.execute})
	}
	return out
}

type list struct {
	kind  Kind
	nodes *target.Chooser
	steps []Step
}

func versions() map[string]any { return map[string]any{name: version} }

func (l list) get(_ context.Context, call *command.Call) (any, error) {
	if _, err := l.node(call); err != nil {
		return nil, err
	}
	steps := []any{}
	for _, s := range l.steps {
		priority, ok := s.In[l.kind]
		if !ok {
			continue
		}
		wire := map[string]any{"step": s.Name, "priority": priority, "interface": s.Interface, "reboot_requested": false}
		if s.Abortable {
			wire["abortable"] = true
		}
		if len(s.Args) > 0 {
			wire["argsinfo"] = s.Args
		}
		steps = append(steps, wire)
	}
	return map[string]any{
		string(l.kind) + "_steps":  map[string]any{manager: steps},
		"hardware_manager_version": versions(),
	}, nil
}

// node takes the node out of the call and remembers it.
func (l list) node(call *command.Call) (map[string]any, error) {
	var node map[string]any
	if err := call.Decode("node", &node); err != nil {
		return nil, err
	}
	l.nodes.SetNode(node)
	return node, nil
}

func (l list) execute(ctx context.Context, call *command.Call) (any, error) {
	node, err := l.node(call)
	if err != nil {
		return nil, err
	}
	var used map[string]any
	if err := call.Decode(string(l.kind)+"_version", &used); err != nil {
		return nil, err
	}
	if used != nil && !maps.Equal(used, versions()) {
		return nil, command.Fail("VersionMismatch", 409, "Hardware managers version mismatch, reload agent with correct version",
			"Current versions: %v, versions used by ironic: %v", versions(), used)
	}
	var step map[string]any
	var shape struct {
		Args command.Params `json:"args"`
	}
	if err := errors.Join(call.Decode("step", &step), call.Decode("step", &shape)); err != nil {
		return nil, err
	}
	name := ingot.Text(step, "step")
	if name == "" {
		return nil, command.Failed("Malformed %s_step, no \"step\" key: %v", l.kind, command.Redact(step))
	}
	result, err := l.run(ctx, name, &Call{Call: call, Node: node, Args: l.arguments(call.Params, shape.Args)})
	if err != nil {
		return nil, l.failure(name, err)
	}
	return map[string]any{string(l.kind) + "_result": result, string(l.kind) + "_step": command.Redact(step)}, nil
}

// arguments are the step's own and whatever else came beside the known parameters.
func (l list) arguments(params, args command.Params) command.Params {
	out := command.Params{}
	for key, raw := range params {
		if !slices.Contains([]string{"step", "node", "ports", string(l.kind) + "_version"}, key) {
			out[key] = raw
		}
	}
	maps.Copy(out, args)
	return out
}

func (l list) run(ctx context.Context, name string, call *Call) (any, error) {
	at := slices.IndexFunc(l.steps, func(s Step) bool { return s.Name == name })
	if at < 0 {
		return nil, command.Fail("HardwareManagerMethodNotFound", 500, "No HardwareManager found to handle method",
			"Could not find method: %s", name)
	}
	s := l.steps[at]
	for key := range call.Args {
		if _, ok := s.Args[key]; !ok {
			return nil, fmt.Errorf("there is no argument '%s'; the arguments are: %s", key,
				strings.Join(slices.Sorted(maps.Keys(s.Args)), ", "))
		}
	}
	for key, arg := range s.Args {
		if _, ok := call.Args[key]; arg.Required && !ok {
			return nil, fmt.Errorf("argument '%s' is missing", key)
		}
	}
	return s.Run(ctx, call)
}

// failure is err as ironic-python-agent words it: its own errors as they are, others as the kind's failure.
func (l list) failure(step string, err error) error {
	var own *ingot.AgentError
	if errors.As(err, &own) {
		return own
	}
	class := map[Kind]string{Clean: "CleaningError", Deploy: "DeploymentError", Service: "ServicingError"}[l.kind]
	title := strings.ToUpper(string(l.kind[:1])) + string(l.kind[1:])
	return command.Fail(class, 500, title+" step failed", "Unexpected exception performing %s step %s. %s", l.kind, step, err)
}
