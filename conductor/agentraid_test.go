package conductor_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// raidAgent is a wire to agents that make software RAID, as ironic-python-agent does.
type raidAgent struct {
	conductor.AgentWire
	answer any
}

func (w raidAgent) Send(ctx context.Context, n *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error) {
	command, err := w.AgentWire.Send(ctx, n, request, wait)
	if request.Name == "clean.get_clean_steps" {
		var steps []any
		for _, name := range []string{"create_configuration", "delete_configuration"} {
			steps = append(steps, map[string]any{"interface": "raid", "step": name, "priority": 0.0})
		}
		command.Result = map[string]any{"clean_steps": map[string]any{"GenericHardwareManager": steps}, "hardware_manager_version": map[string]any{"generic": "1"}}
	}
	return w.answered(command), err
}

func (w raidAgent) Commands(ctx context.Context, n *ingot.Node) ([]ingot.AgentCommand, error) {
	commands, err := w.AgentWire.Commands(ctx, n)
	for i := range commands {
		commands[i] = w.answered(commands[i])
	}
	return commands, err
}

func (w raidAgent) answered(command ingot.AgentCommand) ingot.AgentCommand {
	if step, _ := command.Params["step"].(map[string]any); step != nil && command.Status == ingot.CommandSucceeded {
		command.Result = map[string]any{"clean_result": w.answer, "clean_step": step}
	}
	return command
}

// raidAgents are machines whose node's raid interface is the agent's: their driver has no RAID of its own.
type raidAgents struct {
	machines
	answer any
}

func (m raidAgents) Agent(n *ingot.Node) conductor.AgentWire {
	return raidAgent{m.machines.Agent(n), m.answer}
}

func (m raidAgents) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	return struct{ ingot.Machine }{m.w.rack.Machine(n)}, "", nil
}

// TestAgentRAID: what an agent made of the logical disks is the node's raid_config.
func TestAgentRAID(t *testing.T) {
	made := map[string]any{"logical_disks": []any{map[string]any{"raid_level": "1", "size_gb": 10.0, "is_root_volume": true}}}
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) { c.Machines = raidAgents{machines{w}, made} })
	n := w.able(func(n *ingot.Node) { n.Interfaces.RAID, n.TargetRAIDConfig = "agent", made })
	end := w.cleans(n, step("raid", "create_configuration", nil))
	require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
	require.Equal(t, made["logical_disks"], end.RAIDConfig["logical_disks"])
	require.Equal(t, 1, w.count("agent clean.execute_clean_step"))
	require.Empty(t, w.cleans(n, step("raid", "delete_configuration", nil)).RAIDConfig)
	w.kill()

	w.start(func(c *conductor.Conductor) { c.Machines = raidAgents{machines{w}, nil} })
	end = w.cleans(n, step("raid", "create_configuration", nil))
	require.Equal(t, ingot.CleanFailed, end.ProvisionState)
	require.Contains(t, end.LastError, "gave no RAID configuration back")
}
