package main

import (
	"context"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// toGuestVerb is `ingot node to-guest`: the service step, with a wait that knows that the instance goes to another node.
type toGuestVerb struct {
	oneNode
	Host   string  `help:"Compute host that the guest is to be on; the best place is chosen unless told." placeholder:"NODE"`
	Flavor string  `help:"What the guest is to be; the flavor that does for the server's class, or the smallest that holds its disk, unless told." placeholder:"CLASS"`
	Wait   waiting `help:"Wait until the guest runs, showing how it goes, and print for how long nothing ran; --wait=30m waits no longer." placeholder:"TIME"`
}

// Run asks for it.
func (v *toGuestVerb) Run(ctx context.Context, s *session) error {
	args := map[string]any{}
	for key, text := range map[string]string{"host": v.Host, "flavor": v.Flavor} {
		if text != "" {
			args[key] = text
		}
	}
	return s.interchange(ctx, v.Node, v.Wait, map[string]any{"interface": "management", "step": "to_guest", "args": args}, s.waitGuest)
}

// waitGuest waits until a server's instance runs on the guest, and finds what the server's history says of that. It does not
// wait for the cleaning of the server. A server that was off leaves the guest off, and nothing to be said.
func (s *session) waitGuest(ctx context.Context, metal string, said *string) (client.Node, error) {
	return s.WaitNode(ctx, metal, func(n client.Node) (bool, error) {
		switch n.ProvisionState {
		case ingot.Servicing, ingot.ServiceWait:
			return false, nil
		case ingot.Active, ingot.ServiceFailed:
			return false, ingot.Errorf(ingot.Permanent, "the instance of node %s is no guest's: the node is in state %s (%s)", n.Label(), n.ProvisionState, n.LastError)
		}
		if err := s.findWent(ctx, metal, "metal "+metal, said); err != nil {
			return false, err
		}
		if *said == "" && n.ProvisionState == ingot.ErrorState {
			return false, ingot.Errorf(ingot.Permanent, "the guest does not run the instance of node %s: %s", n.Label(), n.LastError)
		}
		return *said != "" || n.ProvisionState != ingot.Deleting, nil
	})
}
