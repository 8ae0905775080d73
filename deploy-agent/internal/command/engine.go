// Package command runs the agent's commands: the engine behind the HTTP API that Ironic drives the agent with
// (ironic-python-agent's extensions/base.py). One command runs at a time; all of them stay listed with what came out.
package command

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
	ingot "github.com/ingot-metal/ingot"
)

// Params are a command's parameters by name, undecoded.
type Params map[string]json.RawMessage

// Command is something that Ironic can ask the agent to do.
type Command struct {
	Name  string // extension.command, such as standby.prepare_image
	Async bool   // answered at once, polled for its result
	// Takes lists the parameters; any other is refused. Open takes all.
	Takes []string
	Open  bool
	// Check, if set, judges the parameters before an asynchronous command starts; its error is the answer to the request.
	Check func(Params) error
	// Run does the work. Its result is nil, a string or something that is an object in JSON.
	Run func(ctx context.Context, call *Call) (any, error)
}

// keep is how many commands are remembered; beyond it the oldest finished ones are forgotten, so that a client which
// asks for ever cannot eat the machine's memory. A deploy takes about ten.
const keep = 1000

// Engine runs commands. Set the fields and Add the commands before the first Execute.
type Engine struct {
	Log *slog.Logger
	// Finished, if set, is called after each asynchronous command: time for a heartbeat.
	Finished func()

	commands map[string]Command
	mu       sync.Mutex // held while a synchronous command runs
	sealed   atomic.Bool
	listMu   sync.Mutex
	records  []*Record
}

// Add makes commands known.
func (e *Engine) Add(commands ...Command) {
	if e.commands == nil {
		e.commands = map[string]Command{}
	}
	for _, c := range commands {
		e.commands[c.Name] = c
	}
}

// Seal has every command from now on refused; those that ran stay listed.
func (e *Engine) Seal() { e.sealed.Store(true) }

// Execute starts the command and gives its record: finished for a synchronous one. ctx is the agent's life, not the
// request's: a client that goes away stops nothing. An error, always an *ingot.AgentError, means that nothing was
// started and nothing is listed.
func (e *Engine) Execute(ctx context.Context, name string, params Params) (*Record, error) {
	extension, short, found := strings.Cut(name, ".")
	if !found {
		return nil, InvalidCommand("Command name must be of the form <extension>.<name>")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sealed.Load() {
		return nil, InvalidCommand("This machine is in rescue and takes no more commands")
	}
	if running := e.running(); running != nil {
		e.Log.Warn("refused a command while another runs", "command", name, "running", running.name)
		return nil, Busy(running.name)
	}
	c, ok := e.commands[name]
	if !ok {
		if !e.hasExtension(extension) {
			return nil, NotFound("Extension", extension)
		}
		return nil, InvalidCommand("Unknown command: %s", short)
	}
	if err := c.judge(params); err != nil {
		return nil, err
	}
	r := &Record{id: uuid.NewString(), name: short, status: ingot.CommandRunning, done: make(chan struct{})}
	r.params = redact(params)
	e.Log.Info("command started", "command", name, "id", r.id)
	call := &Call{Params: params, record: r}
	if !c.Async {
		result, failure := e.run(ctx, c, call)
		if failure != nil && failure.Code == http.StatusBadRequest {
			return nil, failure // as ironic-python-agent: bad content is the answer to the request
		}
		r.finish(result, failure)
		e.add(r)
		return r, nil
	}
	e.add(r)
	go func() {
		r.finish(e.run(ctx, c, call))
		if e.Finished != nil {
			e.Finished()
		}
	}()
	return r, nil
}

// judge looks at the parameters without running anything.
func (c Command) judge(params Params) error {
	if !c.Open {
		for name := range params {
			if !contains(c.Takes, name) {
				return InvalidParams("%s got an unexpected parameter '%s'", c.Name, name)
			}
		}
	}
	if c.Check == nil {
		return nil
	}
	if err := c.Check(params); err != nil {
		return asAgentError(err)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// run is c.Run with its result in wire form. A panic in a command fails the command, not process 1.
func (e *Engine) run(ctx context.Context, c Command, call *Call) (result map[string]any, failure *ingot.AgentError) {
	defer func() {
		if p := recover(); p != nil {
			e.Log.Error("command crashed", "command", c.Name, "panic", p, "stack", string(debug.Stack()))
			result, failure = nil, Failed("%s crashed: %v", c.Name, p)
		}
	}()
	out, err := c.Run(ctx, call)
	if err != nil {
		failure := asAgentError(err)
		e.Log.Error("command failed", "command", c.Name, "id", call.record.id, "error", failure.Details)
		return nil, failure
	}
	result, err = wire(c, out)
	if err != nil {
		return nil, Failed("cannot put the result of %s into JSON: %s", c.Name, err)
	}
	e.Log.Info("command done", "command", c.Name, "id", call.record.id)
	return result, nil
}

func (e *Engine) hasExtension(extension string) bool {
	for name := range e.commands {
		if strings.HasPrefix(name, extension+".") {
			return true
		}
	}
	return false
}

// running is the command that has not ended, if any.
func (e *Engine) running() *Record {
	e.listMu.Lock()
	defer e.listMu.Unlock()
	if len(e.records) == 0 {
		return nil
	}
	if last := e.records[len(e.records)-1]; !last.ended() {
		return last
	}
	return nil
}

func (e *Engine) add(r *Record) {
	e.listMu.Lock()
	defer e.listMu.Unlock()
	if len(e.records) >= keep {
		e.records = append(e.records[:0:0], e.records[len(e.records)-keep+1:]...)
	}
	e.records = append(e.records, r)
}

// List is all commands, oldest first.
func (e *Engine) List() []ingot.AgentCommand {
	e.listMu.Lock()
	records := append([]*Record(nil), e.records...)
	e.listMu.Unlock()
	out := make([]ingot.AgentCommand, len(records))
	for i, r := range records {
		out[i] = r.Command()
	}
	return out
}

// Get finds a command by its ID; the error is an *ingot.AgentError (404).
func (e *Engine) Get(id string) (*Record, error) {
	e.listMu.Lock()
	defer e.listMu.Unlock()
	for _, r := range e.records {
		if r.id == id {
			return r, nil
		}
	}
	return nil, NotFound("Command Result", id)
}
