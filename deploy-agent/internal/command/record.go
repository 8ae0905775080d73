package command

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	ingot "github.com/ingot-metal/ingot"
)

// Record is a command that was started.
type Record struct {
	id     string
	name   string // without the extension
	params map[string]any
	done   chan struct{}

	mu       sync.Mutex
	status   ingot.CommandStatus
	failure  *ingot.AgentError
	result   map[string]any
	progress *ingot.AgentProgress
}

// Command is the record as it stands now.
func (r *Record) Command() ingot.AgentCommand {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := ingot.AgentCommand{
		ID: r.id, Name: r.name, Params: r.params,
		Status: r.status, Error: r.failure, Result: r.result,
	}
	if r.status == ingot.CommandRunning && r.progress != nil {
		p := *r.progress
		c.Extra = &p
	}
	return c
}

// Wait returns when the command ends or ctx does.
func (r *Record) Wait(ctx context.Context) {
	select {
	case <-r.done:
	case <-ctx.Done():
	}
}

func (r *Record) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (r *Record) finish(result map[string]any, failure *ingot.AgentError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result, r.failure = result, failure
	switch {
	case failure == nil:
		r.status = ingot.CommandSucceeded
	case failure.Type == "VersionMismatch":
		r.status = ingot.CommandVersionMismatch
	default:
		r.status = ingot.CommandFailed
	}
	close(r.done)
}

// Call is a command under way, as the command sees it.
type Call struct {
	Params Params
	record *Record
}

// Decode puts parameter name into target, which stays as it is when the parameter is missing or null. The error is
// InvalidParams.
func (c *Call) Decode(name string, target any) error { return c.Params.Decode(name, target) }

// Progress says how far the command is.
func (c *Call) Progress(p ingot.AgentProgress) {
	if c.record == nil {
		return
	}
	c.record.mu.Lock()
	defer c.record.mu.Unlock()
	c.record.progress = &p
}

// Decode is Call.Decode for a Check.
func (p Params) Decode(name string, target any) error {
	raw, ok := p[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, target); err != nil {
		return InvalidParams("parameter '%s' is malformed: %s", name, err)
	}
	return nil
}

// wire is a result in the form that Ironic reads: an object, or nothing. Text becomes {"result": …}, after the
// command's name for an asynchronous one.
func wire(c Command, out any) (map[string]any, error) {
	switch v := out.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	case string:
		if c.Async {
			v = c.Name[bytes.IndexByte([]byte(c.Name), '.')+1:] + ": " + v
		}
		return map[string]any{"result": v}, nil
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return object(text)
}

// object decodes a JSON object with its numbers as they were written.
func object(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var m map[string]any
	err := d.Decode(&m)
	return m, err
}
