package conductor

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// Firmware keeps what was read of a machine's firmware. Both replace what was kept; NotFound is the node.
type Firmware interface {
	PutBIOSSettings(ctx context.Context, node string, settings []ingot.BIOSSetting) error
	PutFirmwareComponents(ctx context.Context, node string, components []ingot.FirmwareComponent) error
}

// readHardware is the step that keeps what the BMC says of the machine: boot mode, Secure Boot, BIOS settings, firmware
// versions, each where the driver can read it. It is for people to see: what cannot be read now is left as it was.
func readHardware() Step {
	return Step{Name: "read-hardware", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		reads := []struct {
			what string
			has  func(*Conductor, *ingot.Node) bool
			read func(context.Context) error
		}{
			{"boot mode", can[ingot.BootModes]("management"), r.readBootMode},
			{"secure boot", can[ingot.SecureBoot]("management"), r.readSecureBoot},
			{"BIOS settings", can[ingot.BIOSSettings]("bios"), r.readBIOS},
			{"firmware", can[ingot.FirmwareInventory]("firmware"), func(ctx context.Context) error { return r.readFirmware(ctx, nil) }},
		}
		for _, x := range reads {
			if !x.has(r.c, r.Node) {
				continue
			}
			if err := x.read(ctx); err != nil {
				r.c.Log.Info("cannot read a machine's "+x.what, "node", r.Node.UUID, "error", err)
				if !ingot.IsFatal(err) {
					break // the BMC does not answer: the others would wait as long
				}
			}
		}
		return Holds(), nil
	}}
}

func (r *Run) readBootMode(ctx context.Context) error {
	return managed(ctx, r, "get_boot_mode", func(ctx context.Context, m ingot.BootModes) error {
		mode, err := m.BootMode(ctx)
		if err == nil && mode != "" && mode != r.Node.BootMode {
			r.Change(func(n *ingot.Node) { n.BootMode = mode })
		}
		return err
	})
}

func (r *Run) readSecureBoot(ctx context.Context) error {
	return managed(ctx, r, "get_secure_boot_state", func(ctx context.Context, m ingot.SecureBoot) error {
		on, err := m.SecureBoot(ctx)
		if err == nil && (r.Node.SecureBoot == nil || *r.Node.SecureBoot != on) {
			r.Change(func(n *ingot.Node) { n.SecureBoot = &on })
		}
		return err
	})
}
