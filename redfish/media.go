package redfish

import (
	"context"
	"slices"

	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// drives are the virtual drives: the system's, or where it has none its managers'.
func (m *machine) drives(ctx context.Context, what string, talk func([]*redfish.VirtualMedia) error) error {
	return m.do(ctx, what, func(system *redfish.ComputerSystem) error {
		found, err := system.VirtualMedia()
		if err != nil {
			return err
		}
		if len(found) == 0 {
			managers, err := system.ManagedBy()
			if err != nil {
				return err
			}
			for _, manager := range managers {
				of, err := manager.VirtualMedia()
				if err != nil {
					return err
				}
				found = append(found, of...)
			}
		}
		if len(found) == 0 {
			return m.lacks("virtual media")
		}
		return talk(found)
	})
}

// devicesOf are the sorts that a drive can be, in Ironic's words.
func devicesOf(drive *redfish.VirtualMedia) []ingot.MediaDevice {
	var devices []ingot.MediaDevice
	for _, t := range drive.MediaTypes {
		device := ingot.MediaDevice("")
		switch t {
		case redfish.CDMediaType, redfish.DVDMediaType:
			device = ingot.MediaCDROM
		case redfish.USBStickMediaType:
			device = ingot.MediaDisk
		case redfish.FloppyMediaType:
			device = ingot.MediaFloppy
		}
		if device != "" && !slices.Contains(devices, device) {
			devices = append(devices, device)
		}
	}
	return devices
}

// Media lists the virtual drives (VirtualMedia).
func (m *machine) Media(ctx context.Context) (media []ingot.Medium, err error) {
	err = m.drives(ctx, "list the virtual media", func(found []*redfish.VirtualMedia) error {
		media = nil
		for _, d := range found {
			types := []string{}
			for _, t := range d.MediaTypes {
				types = append(types, string(t))
			}
			media = append(media, ingot.Medium{Name: d.ID, Devices: devicesOf(d), Types: types, Inserted: d.Inserted, Image: d.Image})
		}
		return nil
	})
	return media, err
}

// InsertMedia puts the image into the first drive of the sort; what is in it otherwise is taken out before.
func (m *machine) InsertMedia(ctx context.Context, device ingot.MediaDevice, url string) error {
	return m.drives(ctx, "insert virtual media", func(found []*redfish.VirtualMedia) error {
		i := slices.IndexFunc(found, func(d *redfish.VirtualMedia) bool { return slices.Contains(devicesOf(d), device) })
		if i < 0 {
			return m.lacks("virtual " + string(device))
		}
		drive := found[i]
		if drive.Inserted && drive.Image == url {
			return nil
		}
		if drive.Inserted {
			if err := drive.EjectMedia(); err != nil {
				return err
			}
		}
		return drive.InsertMedia(url, true, true)
	})
}

// EjectMedia empties the drives of the sorts that have something in them; all for none.
func (m *machine) EjectMedia(ctx context.Context, devices []ingot.MediaDevice) error {
	return m.drives(ctx, "eject virtual media", func(found []*redfish.VirtualMedia) error {
		for _, drive := range found {
			wanted := len(devices) == 0 || slices.ContainsFunc(devicesOf(drive), func(d ingot.MediaDevice) bool { return slices.Contains(devices, d) })
			if !wanted || !drive.Inserted {
				continue
			}
			if err := drive.EjectMedia(); err != nil {
				return err
			}
		}
		return nil
	})
}

// ejectMedia is Ironic's vendor method eject_vmedia, which is older than its own path for it.
const ejectMedia = "eject_vmedia"

// VendorMethods are those of Ironic's redfish vendor interface that this driver carries out.
func (m *machine) VendorMethods() []ingot.VendorMethod {
	return []ingot.VendorMethod{{
		Name: ejectMedia, HTTP: []string{"POST"}, Async: true, Lock: true,
		Description: "Eject a virtual media device. If no device is provided then all attached devices will be ejected. " +
			"Optional arguments: 'boot_device' - the boot device to eject, either 'cd', 'dvd', 'usb', or 'floppy'",
	}}
}

// CheckVendor holds boot_device against the words that there are.
func (m *machine) CheckVendor(_ string, args map[string]any) error {
	_, err := ejectedDevices(args)
	return err
}

// CallVendor carries the method out.
func (m *machine) CallVendor(ctx context.Context, method string, args map[string]any) (any, error) {
	devices, err := ejectedDevices(args)
	if err != nil {
		return nil, err
	}
	if method != ejectMedia {
		return nil, ingot.Errorf(ingot.Invalid, "No handler for method %s", method)
	}
	return nil, m.EjectMedia(ctx, devices)
}

func ejectedDevices(args map[string]any) ([]ingot.MediaDevice, error) {
	words := map[string]ingot.MediaDevice{"cd": ingot.MediaCDROM, "dvd": ingot.MediaCDROM, "usb": ingot.MediaDisk, "floppy": ingot.MediaFloppy}
	word := args["boot_device"]
	if word == nil || word == "" {
		return nil, nil
	}
	text, _ := word.(string)
	device, known := words[text]
	if !known {
		return nil, ingot.Errorf(ingot.Invalid, "Boot device %v is not a valid value ", word)
	}
	return []ingot.MediaDevice{device}, nil
}
