package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/steps"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
)

func engine() (*command.Engine, *target.Chooser) {
	nodes := &target.Chooser{Log: slog.New(slog.DiscardHandler)}
	e := &command.Engine{Log: slog.New(slog.DiscardHandler)}
	e.Add(steps.Commands(nodes, []steps.Step{
		{
			Name: "paint", Interface: "deploy", Abortable: true, In: map[steps.Kind]int{steps.Clean: 7, steps.Deploy: 0},
			Args: map[string]steps.Arg{"colour": {Description: "Which.", Required: true}, "coats": {Description: "How often."}},
			Run: func(_ context.Context, c *steps.Call) (any, error) {
				var colour string
				err := c.Args.Decode("colour", &colour)
				return map[string]any{"painted": colour, "node": c.Node["uuid"]}, err
			},
		},
		{Name: "fails", Interface: "raid", In: map[steps.Kind]int{steps.Service: 1}, Run: func(context.Context, *steps.Call) (any, error) {
			return nil, errors.New("no RAID")
		}},
	})...)
	return e, nodes
}

func run(t *testing.T, e *command.Engine, name, params string) ingot.AgentCommand {
	t.Helper()
	var p command.Params
	require.NoError(t, json.Unmarshal([]byte(params), &p))
	r, err := e.Execute(context.Background(), name, p)
	require.NoError(t, err)
	r.Wait(context.Background())
	return r.Command()
}

func TestLists(t *testing.T) {
	e, nodes := engine()
	for kind, want := range map[string]string{
		"clean": `{"clean_steps":{"IngotHardwareManager":[{"step":"paint","priority":7,"interface":"deploy","reboot_requested":false,"abortable":true,
			"argsinfo":{"colour":{"description":"Which.","required":true},"coats":{"description":"How often.","required":false}}}]},"hardware_manager_version":{"ingot_hardware_manager":"1.0"}}`,
		"service": `{"service_steps":{"IngotHardwareManager":[{"step":"fails","priority":1,"interface":"raid","reboot_requested":false}]},"hardware_manager_version":{"ingot_hardware_manager":"1.0"}}`,
	} {
		got, err := json.Marshal(run(t, e, kind+".get_"+kind+"_steps", `{"node":{"uuid":"u"},"ports":[]}`).Result)
		require.NoError(t, err)
		require.JSONEq(t, want, string(got))
	}
	require.Equal(t, "u", nodes.Node()["uuid"], "the node is remembered for its hints")
}

func TestExecute(t *testing.T) {
	e, _ := engine()
	done := run(t, e, "clean.execute_clean_step", `{"step":{"step":"paint","interface":"deploy","args":{"colour":"red"},"ingot_id":"o/1/1"},"node":{"uuid":"u"},"ports":[],"clean_version":{"ingot_hardware_manager":"1.0"}}`)
	require.Equal(t, ingot.CommandSucceeded, done.Status)
	require.Equal(t, map[string]any{"painted": "red", "node": "u"}, done.Result["clean_result"])
	step, _ := done.Result["clean_step"].(map[string]any)
	require.Equal(t, "paint", step["step"])
	listed, _ := done.Params["step"].(map[string]any)
	require.Equal(t, "o/1/1", listed["ingot_id"], "the sender finds its step again")
	more := run(t, e, "deploy.execute_deploy_step", `{"step":{"step":"paint"},"colour":"blue","node":{},"ports":[]}`)
	require.Equal(t, map[string]any{"painted": "blue", "node": nil}, more.Result["deploy_result"], "arguments may come beside the step")

	for name, c := range map[string]struct{ command, params, kind, want string }{
		"unknown step":  {"clean.execute_clean_step", `{"step":{"step":"nope"},"node":{},"ports":[]}`, "HardwareManagerMethodNotFound", "Could not find method: nope"},
		"no step":       {"clean.execute_clean_step", `{"step":{},"node":{},"ports":[]}`, "CommandExecutionError", "Malformed clean_step"},
		"version":       {"clean.execute_clean_step", `{"step":{"step":"paint"},"node":{},"ports":[],"clean_version":{"x":"2"}}`, "VersionMismatch", "versions used by ironic"},
		"no argument":   {"clean.execute_clean_step", `{"step":{"step":"paint"},"node":{},"ports":[]}`, "CleaningError", "argument 'colour' is missing"},
		"odd argument":  {"deploy.execute_deploy_step", `{"step":{"step":"paint","args":{"x":1}},"node":{},"ports":[]}`, "DeploymentError", "there is no argument 'x'; the arguments are: coats, colour"},
		"failing":       {"service.execute_service_step", `{"step":{"step":"fails"},"node":{},"ports":[]}`, "ServicingError", "Unexpected exception performing service step fails. no RAID"},
		"malformed":     {"clean.execute_clean_step", `{"step":"paint","node":{},"ports":[]}`, "InvalidCommandParamsError", "parameter 'step' is malformed"},
		"odd node":      {"clean.execute_clean_step", `{"step":{"step":"paint"},"node":5,"ports":[]}`, "InvalidCommandParamsError", "parameter 'node' is malformed"},
		"bad arg value": {"clean.execute_clean_step", `{"step":{"step":"paint","args":{"colour":5}},"node":{},"ports":[]}`, "InvalidCommandParamsError", "parameter 'colour' is malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, e, c.command, c.params)
			require.NotNil(t, got.Error)
			require.Equal(t, c.kind, got.Error.Type)
			require.Contains(t, got.Error.Details, c.want)
			if c.kind == "VersionMismatch" {
				require.Equal(t, ingot.CommandVersionMismatch, got.Status)
			}
		})
	}
}
