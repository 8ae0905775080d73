package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// updateFirmware is firmware.update: settings is a list of {component, url}. An update is never begun twice.
func updateFirmware(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	list, err := pairs(args["settings"], "component", "url")
	if err != nil {
		return Progress{}, err
	}
	begun := "firmware_" + r.commandID()
	if r.Op.Memory[begun] != true {
		if err := beginUpdate(ctx, r, list); err != nil {
			return Progress{}, fmt.Errorf("cannot update firmware: %w", err)
		}
		r.Remember(begun, true)
		return NotYet(0, "the firmware update was begun"), nil
	}
	updating := false
	err = r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		updater, err := ability[ingot.FirmwareUpdater](r.Node, m, "firmware", "update")
		if err == nil {
			updating, err = updater.UpdatingFirmware(ctx)
		}
		return err
	})
	if err != nil || updating {
		return NotYet(powerPoll, "the firmware is being updated"), err
	}
	flashed := map[string]bool{}
	for _, pair := range list {
		flashed[pair[0]] = true
	}
	return Holds(), r.readFirmware(ctx, flashed)
}

func beginUpdate(ctx context.Context, r *Run, list [][2]string) error {
	updates := make([]ingot.FirmwareUpdate, 0, len(list))
	for _, pair := range list {
		updates = append(updates, ingot.FirmwareUpdate{Component: pair[0], URL: pair[1]})
	}
	return r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		updater, err := ability[ingot.FirmwareUpdater](r.Node, m, "firmware", "update")
		if err != nil {
			return err
		}
		if err := r.onlyOnce(ctx, "the firmware update"); err != nil {
			return err
		}
		return ingot.Fatal(updater.UpdateFirmware(ctx, updates))
	})
}

// readFirmware keeps the versions as the machine says they are; those of the flashed components as flashed too.
func (r *Run) readFirmware(ctx context.Context, flashed map[string]bool) error {
	return r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		reader, err := ability[ingot.FirmwareInventory](r.Node, m, "firmware", "cache_firmware_components")
		if err != nil {
			return err
		}
		parts, err := reader.FirmwareComponents(ctx)
		if err != nil {
			return err
		}
		for i := range parts {
			if flashed[parts[i].Component] {
				parts[i].LastVersionFlashed = parts[i].CurrentVersion
			}
		}
		return r.c.Firmware.PutFirmwareComponents(ctx, r.Node.UUID, parts)
	})
}
