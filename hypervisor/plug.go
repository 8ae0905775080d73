//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// PlugPorts has the guest start next with the network cards of its ports (ingot.PortPlugger).
func (g *Guest) PlugPorts(ctx context.Context, ports []ingot.Port) error {
	_, err := onHost(ctx, g, "plug in the ports", func(host *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		return struct{}{}, g.plugPorts(c, host, ports)
	})
	return err
}

func (g *Guest) plugPorts(c *libvirt.Connect, host *ingot.Hypervisor, ports []ingot.Port) error {
	d, err := g.lookup(c)
	if err != nil {
		return err
	}
	defer free(d)
	if ours, err := g.isMade(d); err != nil || !ours {
		return err
	}
	s, err := shapeOf(g.node, ports, host)
	if err != nil {
		return err
	}
	if err := findFilters(c, &s); err != nil {
		return err
	}
	doc, err := stored(d)
	if err != nil {
		return err
	}
	before := doc.text
	if doc, err = doc.withCards(&s); err != nil || doc.text == before {
		return err
	}
	if err := g.unkept(d); err != nil {
		return err
	}
	return g.define(c, before, doc)
}
