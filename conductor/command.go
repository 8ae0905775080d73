package conductor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ingot-metal/ingot"
)

// commandPoll is how often a running agent command is looked at; the agent's heartbeat at its end wakes sooner.
const commandPoll = 3 * time.Second

// firstPowerOff is the step that a new attempt goes back to.
const firstPowerOff = "power-off"

// commandID names one sending of an agent command: operation, position and attempt. It travels inside an existing
// field, so that any agent lists it back.
func (r *Run) commandID() string {
	return fmt.Sprintf("%s/%s.%d/%d", r.Op.UUID, r.Op.Position, r.Op.Slot, r.Op.Attempt)
}

// call is an agent command that is carried out once in an attempt.
type call struct {
	request ingot.AgentRequest
	// ours finds the command among those that the agent lists.
	ours func(ingot.AgentCommand) bool
	// done, when set, takes the answer of the command that succeeded.
	done func(ingot.AgentCommand) error
}

// once has the agent carry out a command exactly once in this attempt: it looks for it in the agent's list before it
// sends.
func (r *Run) once(ctx context.Context, call call) (Progress, error) {
	if back, lost := r.agentLost(); lost {
		return back, nil
	}
	wire := r.c.agent(r.Node)
	commands, err := wire.Commands(ctx, r.Node)
	if err != nil {
		return r.unreachable(ctx, err)
	}
	for i := len(commands) - 1; i >= 0; i-- {
		if call.ours(commands[i]) {
			return r.judge(commands[i], call.done)
		}
	}
	command, err := wire.Send(ctx, r.Node, call.request, false)
	if err != nil {
		return r.unreachable(ctx, err)
	}
	return r.judge(command, call.done)
}

// judge reads how far a command is.
func (r *Run) judge(command ingot.AgentCommand, done func(ingot.AgentCommand) error) (Progress, error) {
	switch command.Status {
	case ingot.CommandRunning:
		note := "the agent works on " + command.Name
		if p := command.Extra; p != nil {
			note = fmt.Sprintf("%s: %s %d of %d bytes", note, p.Phase, p.Done, p.Total)
			r.events = append(r.events, ingot.Event{At: r.Now, Type: "node.progress", Node: r.Node.UUID, Data: map[string]any{
				"operation": r.Op.UUID, "command": command.Name, "phase": p.Phase, "done": p.Done, "total": p.Total, "rate": p.Rate,
			}})
		}
		return ForAgent(commandPoll, note), nil
	case ingot.CommandSucceeded:
		if done == nil {
			return Holds(), nil
		}
		return Holds(), ingot.Fatal(done(command))
	}
	reason := "it gave no reason"
	if command.Error != nil {
		reason = command.Error.Error()
	}
	return Progress{}, ingot.Fatalf("the agent could not carry out %s: %s", command.Name, reason)
}

// agentLost says whether the agent that this attempt talks to is gone: another boot called in, or the machine was
// started again.
func (r *Run) agentLost() (Progress, bool) {
	if p, waiting := r.afterReboot(); waiting {
		return p, true
	}
	agent := r.Node.Agent
	switch {
	case !agent.Present():
		return Again(firstPowerOff, "nothing is known of the agent any more"), true
	case agent.Fingerprint != r.Op.AgentFingerprint:
		return Again(firstPowerOff, "another boot of the ramdisk called in: the machine was restarted"), true
	}
	return Progress{}, false
}

// silentTries is how many askings in a row may find an agent that does not answer, before its machine is taken to hang:
// about five minutes with the engine's backoff.
const silentTries = 20

// unreachable is the answer when the agent cannot be talked to: it may be busy, the machine may have lost power, or be
// in another boot. A lookup after the first one tells of that only here: as long as the agent itself answers, whoever
// looked up was somebody else.
func (r *Run) unreachable(ctx context.Context, cause error) (Progress, error) {
	switch {
	case ingot.CodeOf(cause) == ingot.Locked:
		return ForAgent(commandPoll, cause.Error()), nil
	case ingot.IsFatal(cause):
		return Progress{}, cause
	case ctx.Err() != nil, !r.c.Pulse.acting(): // it was we who hung up
		return Progress{}, cause
	case !r.Node.Agent.Restarted.IsZero():
		return Again(firstPowerOff, "the ramdisk looked itself up again and its first boot does not answer: the machine was restarted"), nil
	case r.Op.Tries >= silentTries:
		return Again(firstPowerOff, "the agent does not answer any more: "+cause.Error()), nil
	}
	if r.lostPower(ctx) {
		return Again(firstPowerOff, "the machine lost power while the agent worked"), nil
	}
	return Progress{}, cause
}

// lostPower says whether the BMC says that the machine, which was started, is off. One that does not answer says nothing.
func (r *Run) lostPower(ctx context.Context) bool {
	var seen ingot.PowerState
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) (err error) {
		seen, err = m.PowerState(ctx)
		return err
	})
	if err != nil || seen != ingot.PowerOff {
		return false
	}
	r.setPower(seen)
	return true
}

// idKey carries the command ID inside a step.
const idKey = "ingot_id"

// carries matches a command whose object holds the ID under key: the two places it travels in are image_info.id and
// step.ingot_id. ironic-python-agent lists commands without their parameters. There, what succeeded says the ID in its
// result (which repeats the step, or names the image); what runs or has failed can only be ours, since every attempt has a
// boot of the agent to itself, gives it one such command at a time, and ends with the first that fails.
func carries(name, object, key, id string) func(ingot.AgentCommand) bool {
	return func(c ingot.AgentCommand) bool {
		m, listed := c.Params[object].(map[string]any)
		switch {
		case listed:
			return ingot.Text(m, key) == id
		case c.Name != name:
			return false
		case c.Status != ingot.CommandSucceeded:
			return true
		}
		result, err := json.Marshal(c.Result)
		return err == nil && bytes.Contains(result, []byte(id))
	}
}

// named matches a command by its name alone: for commands that may be repeated and are sent once to each boot of the
// agent.
func named(name string) func(ingot.AgentCommand) bool {
	return func(c ingot.AgentCommand) bool { return c.Name == name }
}

// askAgent sends a command that only reads, and waits for its answer.
func (r *Run) askAgent(ctx context.Context, request ingot.AgentRequest) (ingot.AgentCommand, error) {
	command, err := r.c.agent(r.Node).Send(ctx, r.Node, request, true)
	if err != nil {
		return command, err
	}
	if command.Status != ingot.CommandSucceeded {
		reason := "it gave no reason"
		if command.Error != nil {
			reason = command.Error.Error()
		}
		return command, ingot.Fatalf("the agent could not answer %s: %s", request.Name, reason)
	}
	return command, nil
}

// wireNode is the node as the agent's hardware managers want to see it.
func (r *Run) wireNode() map[string]any {
	n := r.Node
	return map[string]any{
		"uuid": n.UUID, "driver": n.Driver, "properties": n.Properties, "instance_info": map[string]any{},
		"driver_internal_info": map[string]any{}, "driver_info": map[string]any{},
		"provision_state": n.ProvisionState, "raid_config": n.RAIDConfig, "target_raid_config": n.TargetRAIDConfig,
	}
}

// wirePorts are the node's ports in the same way.
func (r *Run) wirePorts() []map[string]any {
	ports := make([]map[string]any, 0, len(r.Ports))
	for _, p := range r.Ports {
		ports = append(ports, map[string]any{"uuid": p.UUID, "address": p.Address, "pxe_enabled": p.PXEEnabled})
	}
	return ports
}
