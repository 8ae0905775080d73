package api

import (
	"context"
	"net/http"

	"github.com/ingot-metal/ingot"
)

// Firmware is what clients may have done to a node's firmware interface and disks beside its life. All but SetRAID go on
// after the answer: a failure is the node's last_error. What the node's driver cannot do is Unsupported at once.
type Firmware interface {
	SetBootMode(ctx context.Context, node ingot.Node, mode ingot.BootMode) error
	SetSecureBoot(ctx context.Context, node ingot.Node, on bool) error
	SetRAID(ctx context.Context, node ingot.Node, target map[string]any) error
	// RAIDProperties are the properties of a logical disk, each with a sentence.
	RAIDProperties() (map[string]string, error)
}

// setBootMode is PUT /v1/nodes/{node}/states/boot_mode.
func setBootMode(r *request) (response, error) {
	a := r.args("target")
	a.need("target")
	target := ingot.BootMode(a.text("target"))
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.nodeAside()
	if err != nil {
		return response{}, err
	}
	if target != ingot.ModeUEFI && target != ingot.ModeBIOS {
		return response{}, ingot.Errorf(ingot.Invalid, "Invalid boot mode %s requested for node. Allowed boot modes are: uefi, bios", target)
	}
	if err := changing(&node); err != nil {
		return response{}, err
	}
	if err := r.api.Firmware.SetBootMode(r.Context(), node, target); err != nil {
		return response{}, bmcFailure(err)
	}
	return r.accepted(), nil
}

// setSecureBoot is PUT /v1/nodes/{node}/states/secure_boot.
func setSecureBoot(r *request) (response, error) {
	a := r.args("target")
	a.need("target")
	target := a.flag("target")
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.nodeAside()
	if err != nil {
		return response{}, err
	}
	if target == nil {
		return response{}, ingot.Errorf(ingot.Invalid, "Invalid secure_boot None requested for node. Allowed secure_boot states are: True, False) ")
	}
	if err := changing(&node); err != nil {
		return response{}, err
	}
	if err := r.api.Firmware.SetSecureBoot(r.Context(), node, *target); err != nil {
		return response{}, bmcFailure(err)
	}
	return r.accepted(), nil
}

// nodeAside is the request's node for clients that know these paths.
func (r *request) nodeAside() (ingot.Node, error) {
	node, err := r.node()
	if err == nil && !r.since(76) {
		err = ingot.Errorf(ingot.NotFound, "This endpoint is supported starting with the API version 1.76")
	}
	return node, err
}

// changing refuses to touch the firmware of a machine that is being worked on.
func changing(n *ingot.Node) error {
	if !n.ProvisionState.Busy() {
		return nil
	}
	return ingot.Errorf(ingot.Conflict, "Node is in %s state. Since node is transitioning, the boot mode will not be set as this may interfere "+
		"with ongoing changes and result in erroneous modification. Try again later.", n.ProvisionState)
}

// setRAID is PUT /v1/nodes/{node}/states/raid: the body is the configuration itself.
func setRAID(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	target, ok := body.(map[string]any)
	if !ok {
		return response{}, ingot.Errorf(ingot.Invalid, "Expected types <class 'dict'> for target_raid_config: %s", repr(body))
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if !r.since(12) {
		return response{}, errNotAcceptable()
	}
	err = r.api.Firmware.SetRAID(r.Context(), node, target)
	if ingot.CodeOf(err) == ingot.Unsupported { // every driver has the path, and not every one RAID
		err = ingot.Errorf(ingot.NotFound, "%w", err)
	}
	return response{status: http.StatusNoContent}, err
}

// showRAIDProperties is GET /v1/drivers/{driver}/raid/logical_disk_properties.
func showRAIDProperties(r *request) (response, error) {
	if !r.since(12) {
		return response{}, errNotAcceptable()
	}
	if _, err := r.driver(); err != nil {
		return response{}, err
	}
	properties, err := r.api.Firmware.RAIDProperties()
	return response{body: properties}, err
}
