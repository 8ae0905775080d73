package conductor

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// cardsFor are the network cards of a guest that an allocation gets: one on each of the networks that were asked for, or on
// the first that its host has where nothing was said.
func (c *Conductor) cardsFor(ctx context.Context, networks []string, h *ingot.Hypervisor) ([]ingot.Port, error) {
	if networks == nil && len(h.Networks) > 0 {
		networks = []string{h.Networks[0].PhysicalNetwork}
	}
	ports := make([]ingot.Port, len(networks))
	for i, network := range networks {
		address, err := c.freeCard(ctx)
		if err != nil {
			return nil, err
		}
		ports[i] = ingot.Port{UUID: uuid.NewString(), Address: address, PXEEnabled: true, PhysicalNetwork: network}
	}
	return ports, nil
}

// freeCard is an address that no port has yet. QEMU's range is small: of ten thousand guests one in a thousand would get
// somebody else's, and then look as if its host had no room.
func (c *Conductor) freeCard(ctx context.Context) (string, error) {
	for {
		address := newCard()
		taken, err := c.Nodes.ListPorts(ctx, ingot.PortQuery{Address: address, Page: ingot.Page{Limit: 1}})
		if err != nil || len(taken) == 0 {
			return address, err
		}
	}
}

// newCard is an address for a guest's network card, of the range that QEMU has for them.
func newCard() string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("52:54:00:%02x:%02x:%02x", b[0], b[1], b[2])
}
