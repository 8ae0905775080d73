package conductor_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// tightLipped is a wire to agents that list their commands as ironic-python-agent does: without parameters, a step's
// result repeating the step and a write's naming the image.
type tightLipped struct{ conductor.AgentWire }

func (w tightLipped) Commands(ctx context.Context, n *ingot.Node) ([]ingot.AgentCommand, error) {
	commands, err := w.AgentWire.Commands(ctx, n)
	for i, c := range commands {
		if c.Status == ingot.CommandSucceeded {
			switch info, _ := c.Params["image_info"].(map[string]any); {
			case info != nil:
				commands[i].Result = map[string]any{"result": "prepare_image: image (" + ingot.Text(info, "id") + ") written to device /dev/sda"}
			case c.Params["step"] != nil:
				commands[i].Result = map[string]any{"clean_result": nil, "clean_step": c.Params["step"]}
			}
		}
		commands[i].Params = nil
	}
	return commands, err
}

type tightLippedMachines struct{ machines }

func (m tightLippedMachines) Agent(n *ingot.Node) conductor.AgentWire {
	return tightLipped{m.machines.Agent(n)}
}

// TestAgentsThatDoNotListParameters kills the conductor after every effect, with agents that list no IDs: nothing is sent
// twice all the same.
func TestAgentsThatDoNotListParameters(t *testing.T) {
	t.Parallel()
	for _, p := range plans() {
		if p.name != "deploy" && p.name != "clean" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			for at := range 16 {
				w := newWorld(t)
				m := &mortal{Store: w.store}
				killed := make(chan struct{})
				kill := &asked{at: at + 1, here: func(do func() (conductor.Progress, error)) (conductor.Progress, error) {
					_, _ = do() // the effect is done, and its answer is lost
					m.die()
					close(killed)
					return conductor.Progress{}, errDead
				}}
				w.start(func(c *conductor.Conductor) {
					c.Operations, c.Intercept, c.Machines = m, kill.intercept, tightLippedMachines{machines{w}}
				})
				n := p.begin(w)
				w.untilKilled(n.UUID, killed)
				w.kill()
				w.start(func(c *conductor.Conductor) { c.Machines = tightLippedMachines{machines{w}} })
				end := w.ended(n.UUID)
				require.Equal(t, p.to, end.ProvisionState, "%s; %q", end.LastError, w.said())
				p.verdict(t, w, end, 1)
			}
		})
	}
}
