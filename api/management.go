package api

import (
	"context"
	"net/http"

	"github.com/ingot-metal/ingot"
)

// Management talks to a node's BMC while the client waits. What the hardware cannot do is Unsupported.
type Management interface {
	BootDevice(ctx context.Context, node ingot.Node) (ingot.BootSetting, error)
	SetBootDevice(ctx context.Context, node ingot.Node, want ingot.BootSetting) error
	SupportedBootDevices(ctx context.Context, node ingot.Node) ([]ingot.BootDevice, error)
	InjectNMI(ctx context.Context, node ingot.Node) error
	Sensors(ctx context.Context, node ingot.Node) ([]ingot.Sensor, error)
}

// bmcFailure is a BMC's refusal as the API tells it. A wrong BMC password is not the client's, and a dead BMC is
// nothing that a client should try again at once: both are 500 with the reason, as in Ironic.
func bmcFailure(err error) error {
	switch ingot.CodeOf(err) {
	case "", ingot.Invalid, ingot.Unsupported, ingot.Conflict, ingot.Locked, ingot.NotAcceptable:
		return err
	}
	return ingot.Errorf(ingot.Internal, "%w", err)
}

// showBootDevice is GET /v1/nodes/{node}/management/boot_device.
func showBootDevice(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	setting, err := r.api.Management.BootDevice(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	body := map[string]any{"boot_device": nil, "persistent": nil}
	if setting.Device != "" {
		body = map[string]any{"boot_device": setting.Device, "persistent": setting.Persistent}
	}
	return response{body: body}, nil
}

// setBootDevice is PUT /v1/nodes/{node}/management/boot_device.
func setBootDevice(r *request) (response, error) {
	a := r.args("boot_device", "persistent")
	a.need("boot_device")
	device, persistent := ingot.BootDevice(a.text("boot_device")), a.flag("persistent")
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	switch device {
	case ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM, ingot.BootBIOS, ingot.BootSafe, ingot.BootUEFIHTTP:
	default:
		return response{}, ingot.Errorf(ingot.Invalid, "Invalid boot device %s specified.", device)
	}
	want := ingot.BootSetting{Device: device, Persistent: persistent != nil && *persistent}
	if err := r.api.Management.SetBootDevice(r.Context(), node, want); err != nil {
		return response{}, bmcFailure(err)
	}
	return response{status: http.StatusNoContent}, nil
}

// supportedBootDevices is GET /v1/nodes/{node}/management/boot_device/supported.
func supportedBootDevices(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	devices, err := r.api.Management.SupportedBootDevices(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	if devices == nil {
		devices = []ingot.BootDevice{}
	}
	return response{body: map[string]any{"supported_boot_devices": devices}}, nil
}

// injectNMI is PUT /v1/nodes/{node}/management/inject_nmi.
func injectNMI(r *request) (response, error) {
	if a := r.args(); a.err != nil {
		return response{}, a.err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if err := r.api.Management.InjectNMI(r.Context(), node); err != nil {
		return response{}, bmcFailure(err)
	}
	return response{status: http.StatusNoContent}, nil
}

// showSensors is GET /v1/nodes/{node}/sensors, which Ironic has not: its conductor only publishes readings.
func showSensors(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	sensors, err := r.api.Management.Sensors(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	if sensors == nil {
		sensors = []ingot.Sensor{}
	}
	return response{body: map[string]any{"sensors": sensors}}, nil
}
