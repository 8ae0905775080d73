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
	args := map[string]any{}
	for key, text := range map[string]string{"node": v.To, "resource_class": v.Class} {
		if text != "" {
			args[key] = text
		}
	}
	if len(v.Traits) > 0 {
		args["traits"] = v.Traits
	}
	return s.interchange(ctx, v.Node, v.Wait, map[string]any{"interface": "management", "step": "to_metal", "args": args}, s.waitMetal)
}

// interchange asks for a service step that has a node's instance go on elsewhere, and prints what is said of that.
func (s *session) interchange(ctx context.Context, name string, w waiting, step map[string]any, until func(ctx context.Context, node string, said *string) (client.Node, error)) error {
	node, err := s.Node(ctx, name)
	if err != nil {
		return err
	}
	ask := func(ctx context.Context) error {
		return s.SetProvision(ctx, node.UUID, client.Provision{Target: ingot.VerbService, ServiceSteps: []map[string]any{step}})
	}
	if !w.on {
		return ask(ctx)
	}
	said := ""
	wait := func(ctx context.Context) (client.Node, error) { return until(ctx, node.UUID, &said) }
	what := strings.ReplaceAll(ingot.Text(step, "step"), "_", " ")
	if err := w.carry(ctx, s, what, []asked{{node: node, ask: ask, wait: wait}}); err != nil || said == "" {
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
		if err := s.findWent(ctx, metal.UUID, "guest "+guest, said); err != nil {
			return false, err
		}
		return *said != "" || gone || !left.ProvisionState.Busy(), nil
	})
}

// findWent finds what a node's history says of an instance that went from another one or from this.
func (s *session) findWent(ctx context.Context, node, from string, said *string) error {
	entries, err := s.History(ctx, node)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(entries, func(e client.HistoryEntry) bool {
		return strings.HasPrefix(e.Event, "the instance went from "+from)
	}); i >= 0 {
		*said = entries[i].Event
	}
	return nil
}
