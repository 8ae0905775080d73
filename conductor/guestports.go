package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// portsPlugged is the key of an operation's memory that a guest's network cards were seen to.
const portsPlugged = "ports_plugged"

// plugPorts has a guest that is about to be started have a network card for each of its ports. What its host cannot give
// keeps no guest from starting: it has the cards that it had, and its history says why.
func (r *Run) plugPorts(ctx context.Context) error {
	machine, _, err := r.c.Machines.Machine(r.Node)
	if err != nil {
		return ingot.Fatal(err)
	}
	if _, able := ingot.As[ingot.PortPlugger](machine); !able || r.Op.Memory[portsPlugged] != nil {
		return nil
	}
	err = r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		able, _ := ingot.As[ingot.PortPlugger](m)
		return able.PlugPorts(ctx, r.Ports)
	})
	switch {
	case wasNotAsked(err), ingot.CodeOf(err) == ingot.Unavailable, ingot.CodeOf(err) == ingot.NotFound: // nor can it be started
		return err
	case err != nil:
		r.Record("WARNING", r.historyType(), fmt.Sprintf("this guest starts with the network cards that it had: %v", err))
	}
	r.Remember(portsPlugged, true)
	return nil
}
