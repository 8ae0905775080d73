package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// Operations beside a node's life: a user has one thing done to the machine, the node stays in its state, and a failure
// is its last_error. Each is a plan of one step.

func (c *Conductor) asidePlans() map[ingot.Kind]Plan {
	one := func(name string, do func(context.Context, *Run) (Progress, error)) Plan {
		return Plan{Steps: []Step{{Name: name, Class: Ensure, Timeout: c.Settings.PowerTimeout, Do: do}}}
	}
	return map[ingot.Kind]Plan{
		ingot.KindBootMode:    one("boot-mode", setBootMode),
		ingot.KindSecureBoot:  one("secure-boot", setSecureBoot),
		ingot.KindMediaAttach: one("insert-media", insertMedia),
		ingot.KindMediaDetach: one("eject-media", ejectMedia),
		ingot.KindConsole:     one("console", setConsole),
		ingot.KindVendor:      {Steps: []Step{{Name: "vendor-method", Class: Never, Timeout: c.Settings.PowerTimeout, Do: c.callVendor}}},
	}
}

// startAside stores such an operation.
func (c *Conductor) startAside(ctx context.Context, node *ingot.Node, kind ingot.Kind, params map[string]any) error {
	if err := c.free(node); err != nil {
		return err
	}
	now := c.Now()
	_, err := c.Operations.StartOperation(ctx, ingot.Start{
		Operation:   c.newOperation(kind, node.UUID, params, "", now),
		NodeVersion: node.Version,
		Change:      func(n *ingot.Node) { n.LastError = "" },
		Events:      []ingot.Event{{At: now, Type: "node.asked", Node: node.UUID, Data: map[string]any{"kind": kind}}},
	})
	return err
}

// SetBootMode accepts a change of the firmware interface (Ironic: PUT states/boot_mode).
func (c *Conductor) SetBootMode(ctx context.Context, node ingot.Node, mode ingot.BootMode) error {
	if _, err := able[ingot.BootModes](c, &node, "management", "set_boot_mode"); err != nil {
		return err
	}
	return c.startAside(ctx, &node, ingot.KindBootMode, map[string]any{"target": string(mode)})
}

func setBootMode(ctx context.Context, r *Run) (Progress, error) {
	want := ingot.BootMode(ingot.Text(r.Op.Params, "target"))
	var now ingot.BootMode
	err := managed(ctx, r, "set_boot_mode", func(ctx context.Context, m ingot.BootModes) (err error) {
		if now, err = m.BootMode(ctx); err != nil || now == want {
			return err
		}
		if err = m.SetBootMode(ctx, want); err == nil {
			now, err = m.BootMode(ctx)
		}
		return err
	})
	switch {
	case err != nil:
		return Progress{}, fmt.Errorf("Failed to change boot mode to '%s': %w", want, err) //nolint:staticcheck // Ironic's text
	case now != want:
		return NotYet(powerPoll, fmt.Sprintf("the BMC was told boot mode %s and says %q", want, now)), nil
	}
	r.Change(func(n *ingot.Node) { n.BootMode = want })
	return Holds(), nil
}

// SetSecureBoot accepts a change of Secure Boot (Ironic: PUT states/secure_boot).
func (c *Conductor) SetSecureBoot(ctx context.Context, node ingot.Node, on bool) error {
	if _, err := able[ingot.SecureBoot](c, &node, "management", "set_secure_boot_state"); err != nil {
		return err
	}
	return c.startAside(ctx, &node, ingot.KindSecureBoot, map[string]any{"target": on})
}

func setSecureBoot(ctx context.Context, r *Run) (Progress, error) {
	want, _ := r.Op.Params["target"].(bool)
	var now bool
	err := managed(ctx, r, "set_secure_boot_state", func(ctx context.Context, m ingot.SecureBoot) (err error) {
		if now, err = m.SecureBoot(ctx); err != nil || now == want {
			return err
		}
		if err = m.SetSecureBoot(ctx, want); err == nil {
			now, err = m.SecureBoot(ctx)
		}
		return err
	})
	switch {
	case err != nil:
		return Progress{}, fmt.Errorf("Failed to change secure_boot state to '%t': %w", want, err) //nolint:staticcheck // Ironic's text
	case now != want:
		return NotYet(powerPoll, fmt.Sprintf("the BMC was told secure boot %t and does not say so yet", want)), nil
	}
	r.Change(func(n *ingot.Node) { n.SecureBoot = &want })
	return Holds(), nil
}

// AttachMedia accepts an image for a virtual drive (Ironic: POST vmedia). The BMC reads it at its URL.
func (c *Conductor) AttachMedia(ctx context.Context, node ingot.Node, device ingot.MediaDevice, url string) error {
	if err := c.mediaAllowed(&node, "attach"); err != nil {
		return err
	}
	return c.startAside(ctx, &node, ingot.KindMediaAttach, map[string]any{"device": string(device), "url": url})
}

// DetachMedia accepts the emptying of virtual drives (Ironic: DELETE vmedia); no devices are all.
func (c *Conductor) DetachMedia(ctx context.Context, node ingot.Node, devices []ingot.MediaDevice) error {
	if err := c.mediaAllowed(&node, "detach"); err != nil {
		return err
	}
	names := make([]any, len(devices))
	for i, d := range devices {
		names[i] = string(d)
	}
	return c.startAside(ctx, &node, ingot.KindMediaDetach, map[string]any{"devices": names})
}

func (c *Conductor) mediaAllowed(n *ingot.Node, verb string) error {
	if _, err := able[ingot.VirtualMedia](c, n, "management", verb+"_virtual_media"); err != nil {
		return err
	}
	if n.Maintenance && n.Fault == ingot.FaultPower {
		return ingot.Errorf(ingot.Unavailable, "Unable to %s virtual media for node %s due to power failure state", verb, n.UUID)
	}
	return nil
}

func insertMedia(ctx context.Context, r *Run) (Progress, error) {
	device, url := ingot.MediaDevice(ingot.Text(r.Op.Params, "device")), ingot.Text(r.Op.Params, "url")
	err := managed(ctx, r, "attach_virtual_media", func(ctx context.Context, m ingot.VirtualMedia) error { return m.InsertMedia(ctx, device, url) })
	if err != nil {
		return Progress{}, fmt.Errorf("Could not attach device %s to node %s: %w", device, r.Node.UUID, err) //nolint:staticcheck // Ironic's text
	}
	return Holds(), nil
}

func ejectMedia(ctx context.Context, r *Run) (Progress, error) {
	names, _ := r.Op.Params["devices"].([]any)
	devices := make([]ingot.MediaDevice, 0, len(names))
	for _, name := range names {
		text, _ := name.(string)
		devices = append(devices, ingot.MediaDevice(text))
	}
	err := managed(ctx, r, "detach_virtual_media", func(ctx context.Context, m ingot.VirtualMedia) error { return m.EjectMedia(ctx, devices) })
	if err != nil {
		return Progress{}, fmt.Errorf("Could not detach devices %v from node %s: %w", names, r.Node.UUID, err) //nolint:staticcheck // Ironic's text
	}
	return Holds(), nil
}

// managed is manage within a pass.
func managed[T any](ctx context.Context, r *Run, what string, talk func(context.Context, T) error) error {
	return manage(ctx, r.c, r.Node, what, talk)
}
