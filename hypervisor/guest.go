//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// Guest is a guest's machine (ingot.Machine). It has no connection of its own.
type Guest struct {
	hosts *Hosts
	node  *ingot.Node
	host  func(ctx context.Context, uuid string) (ingot.Hypervisor, error)
}

// Guest makes the machine of a node; host finds the compute host that the node names as its parent.
func (h *Hosts) Guest(n *ingot.Node, host func(ctx context.Context, uuid string) (ingot.Hypervisor, error)) (ingot.Machine, error) {
	if n.ParentNode == "" {
		return nil, ingot.Errorf(ingot.Invalid, "guest %s has no compute host: set parent_node", n.UUID)
	}
	return &Guest{hosts: h, node: n, host: host}, nil
}

// onHost runs a call on the guest's host. what is for the error, "cannot WHAT: …".
func onHost[T any](ctx context.Context, g *Guest, what string, call func(*ingot.Hypervisor, *libvirt.Connect) (T, error)) (T, error) {
	var none T
	host, err := g.host(ctx, g.node.ParentNode)
	if err != nil {
		return none, fmt.Errorf("cannot %s: %w", what, err)
	}
	l, err := g.hosts.link(host.NodeUUID, host.URI)
	if err != nil {
		return none, fmt.Errorf("cannot %s: %w", what, err)
	}
	return ask(ctx, l, what, func(c *libvirt.Connect) (T, error) { return call(&host, c) })
}

// inDomain runs a call on the guest's domain, which must be there.
func inDomain[T any](ctx context.Context, g *Guest, what string, call func(*libvirt.Connect, *libvirt.Domain) (T, error)) (T, error) {
	return onHost(ctx, g, what, func(_ *ingot.Hypervisor, c *libvirt.Connect) (T, error) {
		d, err := g.lookup(c)
		if err != nil {
			var none T
			return none, err
		}
		defer free(d)
		return call(c, d)
	})
}

// lookup finds the guest's domain (ingot.GuestMissing).
func (g *Guest) lookup(c *libvirt.Connect) (*libvirt.Domain, error) {
	d, err := c.LookupDomainByUUIDString(g.node.UUID)
	if is(err, libvirt.ERR_NO_DOMAIN) {
		err = &ingot.GuestMissing{Guest: g.node.UUID, Host: g.node.ParentNode}
	}
	return d, err
}

// domain is inDomain for a call without an answer.
func (g *Guest) domain(ctx context.Context, what string, call func(*libvirt.Connect, *libvirt.Domain) error) error {
	_, err := inDomain(ctx, g, what, func(c *libvirt.Connect, d *libvirt.Domain) (struct{}, error) { return struct{}{}, call(c, d) })
	return err
}

// domainOn is domain for a call that needs the guest's host too.
func (g *Guest) domainOn(ctx context.Context, what string, call func(*ingot.Hypervisor, *libvirt.Connect, *libvirt.Domain) error) error {
	_, err := onHost(ctx, g, what, func(host *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		d, err := g.lookup(c)
		if err != nil {
			return struct{}{}, err
		}
		defer free(d)
		return struct{}{}, call(host, c, d)
	})
	return err
}

// free lets go of a handle; one that is not let go of keeps its connection open. It cannot fail in a way that matters.
func free(handle interface{ Free() error }) { _ = handle.Free() }

// PowerState is the domain's state now.
func (g *Guest) PowerState(ctx context.Context) (ingot.PowerState, error) {
	return inDomain(ctx, g, "read the power state", func(_ *libvirt.Connect, d *libvirt.Domain) (ingot.PowerState, error) { return g.settled(d) })
}

// settled is powerOf for a machine that is not just being started. One whose libvirtd was killed while it started shows as
// that for a moment, until the next libvirtd does away with it. Killed just before it had the process, libvirt 9.0 never does:
// it takes up the start from its file, whose job nobody ends.
func (g *Guest) settled(d *libvirt.Domain) (ingot.PowerState, error) {
	state, reason, err := d.GetState()
	if err == nil && state == libvirt.DOMAIN_PAUSED && libvirt.DomainPausedReason(reason) == libvirt.DOMAIN_PAUSED_STARTING_UP {
		name, err := d.GetName()
		if err != nil {
			return "", err
		}
		return "", ingot.Errorf(ingot.Unavailable, "guest %s is being started; if that does not end, libvirtd was killed at it: "+
			"stop libvirtd on the host, remove /run/libvirt/qemu/%s.xml, and start it again", g.node.UUID, name)
	}
	if err != nil {
		return "", err
	}
	return powerOf(d)
}

// powerOf reads a domain's state; one that is paused has its power.
func powerOf(d *libvirt.Domain) (ingot.PowerState, error) {
	state, _, err := d.GetState()
	if err != nil {
		return "", err
	}
	switch state {
	case libvirt.DOMAIN_RUNNING, libvirt.DOMAIN_BLOCKED, libvirt.DOMAIN_PAUSED, libvirt.DOMAIN_SHUTDOWN, libvirt.DOMAIN_PMSUSPENDED:
		return ingot.PowerOn, nil
	case libvirt.DOMAIN_SHUTOFF, libvirt.DOMAIN_CRASHED:
		return ingot.PowerOff, nil
	}
	return "", nil
}

// SetPower starts, destroys or asks the system to end. What holds already is left alone.
func (g *Guest) SetPower(ctx context.Context, action ingot.PowerAction) error {
	want := ingot.PowerOff
	do := map[ingot.PowerAction]func(*ingot.Hypervisor, *libvirt.Connect, *libvirt.Domain) error{
		ingot.ActionOn:      g.start,
		ingot.ActionOff:     func(_ *ingot.Hypervisor, _ *libvirt.Connect, d *libvirt.Domain) error { return d.Destroy() },
		ingot.ActionSoftOff: func(_ *ingot.Hypervisor, _ *libvirt.Connect, d *libvirt.Domain) error { return d.Shutdown() },
	}[action]
	if do == nil {
		return ingot.Errorf(ingot.Unsupported, "a guest knows no power action %q", action)
	}
	if action == ingot.ActionOn {
		want = ingot.PowerOn
	}
	return g.domainOn(ctx, fmt.Sprintf("set the power to %q", action), func(host *ingot.Hypervisor, c *libvirt.Connect, d *libvirt.Domain) error {
		now, err := g.settled(d)
		if err != nil || now == want {
			return err
		}
		g.tell(string(action))
		if err := do(host, c, d); err != nil {
			// Drivers have different words for "it is so already": the state tells.
			if now, look := g.settled(d); look == nil && now == want {
				return nil
			}
			return err
		}
		return nil
	})
}

// tell notes a call that changes something.
func (g *Guest) tell(call string) {
	g.hosts.logger().Debug("telling a guest", "node", g.node.UUID, "call", call)
}

// start starts a domain, and takes a boot device that was for one start back.
func (g *Guest) start(host *ingot.Hypervisor, c *libvirt.Connect, d *libvirt.Domain) error {
	if err := g.uncache(host, c, d); err != nil {
		return err
	}
	if err := d.Create(); err != nil {
		return err
	}
	doc, err := stored(d)
	if err != nil {
		return err
	}
	if boot := doc.override(); boot.Device == "" || boot.Persistent {
		return nil
	}
	doc.setOverride(ingot.BootSetting{})
	return g.define(c, doc.text, doc)
}

// uncache has a domain that Ingot made start without a page cache before disks that hosts share: it may be from before its pool
// was shared.
func (g *Guest) uncache(host *ingot.Hypervisor, c *libvirt.Connect, d *libvirt.Domain) error {
	if ours, err := g.isMade(d); err != nil || !ours {
		return err
	}
	doc, err := stored(d)
	if err != nil {
		return err
	}
	for _, disk := range doc.cached(host) {
		doc.uncache(disk)
	}
	return g.define(c, doc.text, doc)
}

// Reset starts the machine again as its reset button would (ingot.Resetter).
func (g *Guest) Reset(ctx context.Context) error {
	return g.domainOn(ctx, "reset", func(host *ingot.Hypervisor, c *libvirt.Connect, d *libvirt.Domain) error {
		now, err := powerOf(d)
		if err != nil {
			return err
		}
		g.tell("reset")
		if now == ingot.PowerOff {
			return g.start(host, c, d)
		}
		return d.Reset(0)
	})
}

// InjectNMI sends a non-maskable interrupt (ingot.NMI).
func (g *Guest) InjectNMI(ctx context.Context) error {
	return g.domain(ctx, "inject an NMI", func(_ *libvirt.Connect, d *libvirt.Domain) error {
		g.tell("nmi")
		return d.InjectNMI(0)
	})
}

// stored is the domain as it starts next.
func stored(d *libvirt.Domain) (*document, error) {
	text, err := d.GetXMLDesc(libvirt.DOMAIN_XML_INACTIVE | libvirt.DOMAIN_XML_SECURE)
	if err != nil {
		return nil, err
	}
	return parse(text)
}

// define stores a domain that differs from what is stored.
func (g *Guest) define(c *libvirt.Connect, before string, doc *document) error {
	after := doc.String()
	if after == before {
		return nil
	}
	g.tell("define")
	d, err := defined(c, doc, after)
	if err != nil {
		return err
	}
	defer free(d)
	// Guests are started by Ingot alone: one that its host starts by itself may run elsewhere by then.
	if starts, err := d.GetAutostart(); err != nil || !starts {
		return err
	}
	return d.SetAutostart(false)
}

// defined has libvirt take a document in. What Ingot made has to be right by libvirt's schema too, which finds what libvirt
// itself would leave out without a word; a domain that was there before its node may have what no schema knows.
func defined(c *libvirt.Connect, doc *document, text string) (*libvirt.Domain, error) {
	if doc.at("name").text() != domainName(doc.at("uuid").text()) {
		return c.DomainDefineXML(text)
	}
	d, err := c.DomainDefineXMLFlags(text, libvirt.DOMAIN_DEFINE_VALIDATE)
	if is(err, libvirt.ERR_INVALID_ARG, libvirt.ERR_NO_SUPPORT) { // a driver that does not know the flag
		return c.DomainDefineXML(text)
	}
	return d, err
}
