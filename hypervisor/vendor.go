//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// VendorMethods are what guests can beyond the API's words (ingot.Vendor). All are answered when they are done.
func (g *Guest) VendorMethods() []ingot.VendorMethod {
	post := []string{"POST"}
	return []ingot.VendorMethod{
		{Name: "pause", HTTP: post, Lock: true, Description: "Stop the guest's processors; it keeps its memory and its power state."},
		{Name: "resume", HTTP: post, Lock: true, Description: "Let a paused guest go on."},
		{Name: "attach_disk", HTTP: post, Lock: true, Description: "Plug a volume of the host in. Required arguments: 'volume'. Optional: 'pool' (default: that of the guest's disk), 'format' (qcow2 or raw; default raw)."},
		{Name: "detach_disk", HTTP: post, Lock: true, Description: "Unplug a volume; it succeeds when the guest has let go of it. Required arguments: 'volume'. Optional: 'pool'."},
		{Name: "guest_agent", HTTP: post, Description: "Ask the QEMU guest agent in the guest. Required arguments: 'command', one of those that only look. Optional: 'arguments', an object."},
	}
}

// CheckVendor refuses arguments that the method has not (ingot.Vendor).
func (g *Guest) CheckVendor(method string, args map[string]any) error {
	known := map[string][]string{"attach_disk": {"volume", "pool", "format"}, "detach_disk": {"volume", "pool"}, "guest_agent": {"command", "arguments"}}[method]
	if err := knownArguments(method, args, known); err != nil {
		return err
	}
	switch method {
	case "attach_disk", "detach_disk":
		return checkVolume(args)
	case "guest_agent":
		return checkAgent(args)
	}
	return nil
}

// CallVendor carries a method out (ingot.Vendor). Whatever was done already is left alone.
func (g *Guest) CallVendor(ctx context.Context, method string, args map[string]any) (any, error) {
	switch method {
	case "pause":
		return nil, g.setPaused(ctx, true)
	case "resume":
		return nil, g.setPaused(ctx, false)
	case "attach_disk":
		return g.attach(ctx, args)
	case "detach_disk":
		return nil, g.detach(ctx, args)
	case "guest_agent":
		return g.askAgent(ctx, args)
	}
	return nil, ingot.Errorf(ingot.Invalid, "No handler for method %s", method)
}

func (g *Guest) setPaused(ctx context.Context, pause bool) error {
	what := map[bool]string{true: "pause", false: "resume"}[pause]
	return g.domain(ctx, what, func(_ *libvirt.Connect, d *libvirt.Domain) error {
		state, _, err := d.GetState()
		switch {
		case err != nil:
			return err
		case state == libvirt.DOMAIN_SHUTOFF || state == libvirt.DOMAIN_CRASHED:
			return ingot.Errorf(ingot.Conflict, "cannot %s guest %s: it is off", what, g.node.UUID)
		case (state == libvirt.DOMAIN_PAUSED) == pause:
			return nil
		}
		g.tell(what)
		if pause {
			return d.Suspend()
		}
		return d.Resume()
	})
}
