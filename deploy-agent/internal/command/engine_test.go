package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
)

// engine is an engine with commands of every sort; release lets test.slow end.
func engine(t *testing.T) (e *command.Engine, release func()) {
	t.Helper()
	gate := make(chan struct{})
	e = &command.Engine{Log: slog.New(slog.DiscardHandler)}
	do := func(out any, err error) func(context.Context, *command.Call) (any, error) {
		return func(context.Context, *command.Call) (any, error) { return out, err }
	}
	e.Add(
		command.Command{Name: "test.text", Run: do("hello", nil)},
		command.Command{Name: "test.nothing", Run: do(nil, nil)},
		command.Command{Name: "test.object", Run: do(ingot.InventoryMemory{Total: 1 << 60}, nil)},
		command.Command{Name: "test.fails", Run: do(nil, errors.New("out of luck"))},
		command.Command{Name: "test.bad", Run: do(nil, command.InvalidParams("no good"))},
		command.Command{Name: "test.mismatch", Async: true, Run: do(nil, command.Fail("VersionMismatch", 409, "m", "d"))},
		command.Command{Name: "test.crash", Async: true, Run: func(context.Context, *command.Call) (any, error) {
			var crash *ingot.Node
			return crash.UUID, nil
		}},
		command.Command{Name: "test.slow", Async: true, Takes: []string{"image_info", "configdrive", "none", "list"}, Run: func(_ context.Context, c *command.Call) (any, error) {
			c.Progress(ingot.AgentProgress{Phase: "write", Done: 5, Total: 10})
			<-gate
			return "done", nil
		}},
	)
	return e, func() { close(gate) }
}

func run(t *testing.T, e *command.Engine, name, params string) (ingot.AgentCommand, error) {
	t.Helper()
	var p command.Params
	require.NoError(t, json.Unmarshal([]byte(params), &p))
	r, err := e.Execute(context.Background(), name, p)
	if err != nil {
		return ingot.AgentCommand{}, err
	}
	r.Wait(context.Background())
	return r.Command(), nil
}

func TestResults(t *testing.T) {
	e, release := engine(t)
	release()
	for _, c := range []struct {
		name   string
		status ingot.CommandStatus
		result string
		fault  string
	}{
		{"test.text", "SUCCEEDED", `{"result":"hello"}`, `null`},
		{"test.nothing", "SUCCEEDED", `null`, `null`},
		{"test.object", "SUCCEEDED", `{"total":1152921504606846976}`, `null`},
		{"test.slow", "SUCCEEDED", `{"result":"slow: done"}`, `null`},
		{"test.fails", "FAILED", `null`, `{"type":"CommandExecutionError","code":500,"message":"Command execution failed","details":"out of luck"}`},
		{"test.crash", "FAILED", `null`, `{"type":"CommandExecutionError","code":500,"message":"Command execution failed","details":"test.crash crashed: runtime error: invalid memory address or nil pointer dereference"}`},
		{"test.mismatch", "CLEAN_VERSION_MISMATCH", `null`, `{"type":"VersionMismatch","code":409,"message":"m","details":"d"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := run(t, e, c.name, `{}`)
			require.NoError(t, err)
			require.Equal(t, c.status, got.Status)
			result, err := json.Marshal(got.Result)
			require.NoError(t, err)
			require.JSONEq(t, c.result, string(result))
			fault, err := json.Marshal(got.Error)
			require.NoError(t, err)
			require.JSONEq(t, c.fault, string(fault))
		})
	}
	require.Len(t, e.List(), 7)
}

func TestRefusals(t *testing.T) {
	e, release := engine(t)
	defer release()
	for _, c := range []struct {
		name, params string
		code         int
		fault        string
	}{
		{"nodot", `{}`, 400, "Invalid command: Command name must be of the form <extension>.<name>"},
		{"nope.text", `{}`, 404, "Not found: Extension with id nope not found."},
		{"test.nope", `{}`, 400, "Invalid command: Unknown command: nope"},
		{"test.bad", `{}`, 400, "Invalid command parameters: no good"},
		{"test.text", `{"x":1}`, 400, "Invalid command parameters: test.text got an unexpected parameter 'x'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(t, e, c.name, c.params)
			var fault *ingot.AgentError
			require.ErrorAs(t, err, &fault)
			require.Equal(t, c.code, fault.Code)
			require.Equal(t, c.fault, command.Fault(fault))
		})
	}
	require.Empty(t, e.List(), "what was refused is not listed")
}

func TestOneAtATimeWithProgress(t *testing.T) {
	e, release := engine(t)
	beats := make(chan struct{}, 1)
	e.Finished = func() { beats <- struct{}{} }
	params := command.Params{
		"image_info":  json.RawMessage(`{"id":"op/1/1","image_server_password":"hunter2","urls":["http://u:hunter2@host/image?sig=hunter2"]}`),
		"configdrive": json.RawMessage(`"H4sI"`),
		"none":        json.RawMessage(`null`),
		"list":        json.RawMessage(`[1]`),
	}
	r, err := e.Execute(context.Background(), "test.slow", params)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.Command().Extra != nil }, 10e9, 1e6)

	_, err = e.Execute(context.Background(), "test.text", nil)
	var busy *ingot.AgentError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, 409, busy.Code)
	require.Equal(t, "Agent is busy: executing command slow", command.Fault(busy))

	listed := e.List()
	require.Len(t, listed, 1)
	require.Equal(t, ingot.CommandRunning, listed[0].Status)
	require.Equal(t, int64(5), listed[0].Extra.Done)
	info, _ := listed[0].Params["image_info"].(map[string]any)
	require.Equal(t, "op/1/1", info["id"], "the sender finds its command again by the image's ID")
	require.Contains(t, listed[0].Params, "none")
	require.Nil(t, listed[0].Params["none"])
	require.Equal(t, []any{1.0}, listed[0].Params["list"])
	text, err := json.Marshal(listed)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter2")
	require.Contains(t, string(text), "http://host/image")
	require.NotContains(t, string(text), "H4sI")

	release()
	<-beats
	require.Equal(t, ingot.CommandSucceeded, e.List()[0].Status)
	require.Nil(t, e.List()[0].Extra)
	_, err = run(t, e, "test.text", `{}`)
	require.NoError(t, err)
}

func TestListIsBounded(t *testing.T) {
	e, release := engine(t)
	defer release()
	for range 1100 {
		_, err := run(t, e, "test.nothing", `{}`)
		require.NoError(t, err)
	}
	list := e.List()
	require.Len(t, list, 1000)
	_, err := e.Get(list[999].ID)
	require.NoError(t, err)
	_, err = e.Get("nope")
	require.ErrorContains(t, err, "Command Result with id nope not found.")
}
