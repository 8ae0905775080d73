//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"encoding/json"
	"fmt"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// How long the guest agent may take, and how much of its answer is believed: the guest is its user's.
const (
	agentSeconds   = 10
	agentMostBytes = 1 << 20
)

// askAgent has the QEMU guest agent carry out a command that only looks.
func (g *Guest) askAgent(ctx context.Context, args map[string]any) (any, error) {
	command := map[string]any{"execute": ingot.Text(args, "command")}
	if more, given := args["arguments"]; given && more != nil {
		command["arguments"] = more
	}
	text, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	return inDomain(ctx, g, "ask the guest agent", func(_ *libvirt.Connect, d *libvirt.Domain) (any, error) {
		g.tell("guest-agent")
		said, err := d.QemuAgentCommand(string(text), agentSeconds, 0)
		switch {
		case is(err, libvirt.ERR_AGENT_UNRESPONSIVE), is(err, libvirt.ERR_AGENT_UNSYNCED), is(err, libvirt.ERR_OPERATION_INVALID):
			return nil, ingot.Errorf(ingot.Conflict, "no QEMU guest agent answers in guest %s: %w", g.node.UUID, plain(err))
		case err != nil:
			return nil, err
		case len(said) > agentMostBytes:
			return nil, ingot.Errorf(ingot.Conflict, "the guest agent of %s said %d bytes, which is too much to pass on", g.node.UUID, len(said))
		}
		var answer map[string]any
		if err := json.Unmarshal([]byte(said), &answer); err != nil {
			return nil, fmt.Errorf("the guest agent's answer is no JSON: %w", err)
		}
		return map[string]any{"return": answer["return"]}, nil
	})
}
