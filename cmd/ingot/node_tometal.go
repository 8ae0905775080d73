package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// toMetalVerb is `ingot node to-metal`: the service step, with a wait that knows that the instance goes to another node.
type toMetalVerb struct {
	oneNode
	To     string   `help:"Node that takes the instance over; one that suits is chosen unless told." placeholder:"NODE"`
	Class  string   `name:"resource-class" help:"Choose a node of this class; the guest's own unless told."`
	Traits []string `name:"trait" help:"Choose a node that has this trait too."`
	Wait   waiting  `help:"Wait until the metal runs, showing how it goes, and print for how long nothing ran; --wait=30m waits no longer." placeholder:"TIME"`
}

// Run asks for it.
func (v *toMetalVerb) Run(ctx context.Context, s *session) error {
	guest, err := s.Node(ctx, v.Node)
	if err != nil {
		return err
	}
	args := map[string]any{}
	for key, text := range map[string]string{"node": v.To, "resource_class": v.Class} {
		if text != "" {
			args[key] = text
		}
	}
	if len(v.Traits) > 0 {
		args["traits"] = v.Traits
	}
	step := map[string]any{"interface": "management", "step": "to_metal", "args": args}
	ask := func(ctx context.Context) error {
		return s.SetProvision(ctx, guest.UUID, client.Provision{Target: ingot.VerbService, ServiceSteps: []map[string]any{step}})
	}
	if !v.Wait.on {
		return ask(ctx)
	}
	said := ""
	wait := func(ctx context.Context) (client.Node, error) { return s.waitMetal(ctx, guest.UUID, &said) }
	if err := v.Wait.carry(ctx, s, "to metal", []asked{{node: guest, ask: ask, wait: wait}}); err != nil || said == "" {
		return err
	}
	_, err = fmt.Fprintln(s.out, said)
	return err
}

// waitMetal waits until the node that takes a guest's instance over runs it, and finds what its history says of that. A
// guest that was off leaves the metal off, and nothing to be said.
func (s *session) waitMetal(ctx context.Context, guest string, said *string) (client.Node, error) {
	n, err := s.Node(ctx, guest)
	if err != nil {
		return n, err
	}
	args, _ := n.ServiceStep["args"].(map[string]any)
	return s.WaitNode(ctx, ingot.Text(args, "node"), func(metal client.Node) (bool, error) {
		if metal.ProvisionState.Busy() {
			return false, nil
		}
		left, err := s.Node(ctx, guest)
		gone := ingot.CodeOf(err) == ingot.NotFound
		if err != nil && !gone {
			return false, err
		}
		if metal.ProvisionState != ingot.Active {
			return false, ingot.Errorf(ingot.Permanent, "guest %s is not on metal: node %s is in state %s (%s)", guest, metal.Label(), metal.ProvisionState, left.LastError)
		}
		entries, err := s.History(ctx, metal.UUID)
		if err != nil {
			return false, err
		}
		if i := slices.IndexFunc(entries, func(e client.HistoryEntry) bool {
			return strings.HasPrefix(e.Event, "the instance went from guest "+guest)
		}); i >= 0 {
			*said = entries[i].Event
		}
		return *said != "" || gone || !left.ProvisionState.Busy(), nil
	})
}
