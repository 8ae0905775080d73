package conductor

import (
	"context"
	"slices"

	"github.com/ingot-metal/ingot"
)

// What the API asks of a node's management interface while its client waits.

// BootDevice asks the BMC what the machine boots from (Ironic: GET management/boot_device).
func (c *Conductor) BootDevice(ctx context.Context, node ingot.Node) (setting ingot.BootSetting, err error) {
	err = c.exchange(ctx, &node, func(ctx context.Context, m ingot.Machine) error {
		setting, err = m.BootDevice(ctx)
		return err
	})
	return setting, err
}

// SetBootDevice has the BMC boot the machine from a device (Ironic: PUT management/boot_device).
func (c *Conductor) SetBootDevice(ctx context.Context, node ingot.Node, setting ingot.BootSetting) error {
	if err := c.free(&node); err != nil {
		return err
	}
	return c.exchange(ctx, &node, func(ctx context.Context, m ingot.Machine) error { return m.SetBootDevice(ctx, setting) })
}

// SupportedBootDevices are the devices that the node's driver can set; it asks no BMC.
func (c *Conductor) SupportedBootDevices(_ context.Context, node ingot.Node) ([]ingot.BootDevice, error) {
	known, err := able[ingot.BootDevices](c, &node, "management", "get_supported_boot_devices")
	if err != nil {
		return nil, err
	}
	return known.SupportedBootDevices(), nil
}

// InjectNMI sends the machine a non-maskable interrupt (Ironic: PUT management/inject_nmi).
func (c *Conductor) InjectNMI(ctx context.Context, node ingot.Node) error {
	if err := c.free(&node); err != nil {
		return err
	}
	return manage(ctx, c, &node, "inject_nmi", func(ctx context.Context, nmi ingot.NMI) error { return nmi.InjectNMI(ctx) })
}

// Sensors reads the machine's sensors.
func (c *Conductor) Sensors(ctx context.Context, node ingot.Node) (readings []ingot.Sensor, err error) {
	err = manage(ctx, c, &node, "get_sensors_data", func(ctx context.Context, sensors ingot.Sensors) error {
		readings, err = sensors.Sensors(ctx)
		return err
	})
	return readings, err
}

// manage does an exchange with an ability of the node's management interface.
func manage[T any](ctx context.Context, c *Conductor, n *ingot.Node, what string, talk func(context.Context, T) error) error {
	return c.exchange(ctx, n, func(ctx context.Context, m ingot.Machine) error {
		found, err := ability[T](n, m, "management", what)
		if err != nil {
			return err
		}
		return talk(ctx, found)
	})
}

// Indicators lists the machine's lights (Ironic: GET management/indicators).
func (c *Conductor) Indicators(ctx context.Context, node ingot.Node) (list []ingot.Indicator, err error) {
	err = manage(ctx, c, &node, "get_supported_indicators", func(ctx context.Context, lights ingot.Indicators) error {
		list, err = lights.Indicators(ctx)
		return err
	})
	return list, err
}

// Indicator looks at a light (Ironic: GET management/indicators/{name}@{component}).
func (c *Conductor) Indicator(ctx context.Context, node ingot.Node, component, name string) (state ingot.IndicatorState, err error) {
	err = manage(ctx, c, &node, "get_indicator_state", func(ctx context.Context, lights ingot.Indicators) error {
		state, err = lights.Indicator(ctx, component, name)
		return unknownLight(&node, component, name, err)
	})
	return state, err
}

// SetIndicator switches a light (Ironic: PUT management/indicators/{name}@{component}).
func (c *Conductor) SetIndicator(ctx context.Context, node ingot.Node, component, name string, state ingot.IndicatorState) error {
	if err := c.free(&node); err != nil {
		return err
	}
	return manage(ctx, c, &node, "set_indicator_state", func(ctx context.Context, lights ingot.Indicators) error {
		list, err := lights.Indicators(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(l ingot.Indicator) bool { return l.Component == component && l.Name == name })
		switch {
		case i < 0:
			return unknownLight(&node, component, name, ingot.Errorf(ingot.NotFound, "no such light"))
		case list[i].ReadOnly:
			return ingot.Errorf(ingot.Invalid, "Indicator %s of component %s of node %s can only be read", name, component, node.UUID)
		case !slices.Contains(list[i].States, state):
			return ingot.Errorf(ingot.Invalid, "Indicator %s of component %s of node %s can not be %q: it is one of %v", name, component, node.UUID, state, list[i].States)
		}
		return lights.SetIndicator(ctx, component, name, state)
	})
}

func unknownLight(n *ingot.Node, component, name string, err error) error {
	if ingot.CodeOf(err) != ingot.NotFound {
		return err
	}
	return ingot.Errorf(ingot.Invalid, "Unknown indicator %s for component %s of node %s", name, component, n.UUID)
}

// Media lists the machine's virtual drives (Ironic: GET vmedia).
func (c *Conductor) Media(ctx context.Context, node ingot.Node) (drives []ingot.Medium, err error) {
	err = manage(ctx, c, &node, "get_virtual_media", func(ctx context.Context, media ingot.VirtualMedia) error {
		drives, err = media.Media(ctx)
		return err
	})
	return drives, err
}
