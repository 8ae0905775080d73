//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"slices"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// luggage is what goes along with a guest. One with more than that, or that is not made of what Ingot knows, stays
// (Unsupported).
func (g *Guest) luggage(d *libvirt.Domain) ([]volumeOf, error) {
	if err := g.made(d); err != nil {
		return nil, err
	}
	running, err := d.GetXMLDesc(0)
	if err != nil {
		return nil, err
	}
	now, err := parse(running)
	if err != nil {
		return nil, err
	}
	if _, err := now.volumes(); err != nil { // a disk may have been plugged into the machine that runs alone
		return nil, err
	}
	next, err := stored(d)
	if err != nil {
		return nil, err
	}
	return next.volumes()
}

// fits refuses a pool in which the guest's disk would have another format, and with it another name.
func (j *journey) fits(volumes []volumeOf) error {
	for _, v := range volumes {
		if !v.readOnly && v.name != j.shape.root() {
			return ingot.Errorf(ingot.Unsupported, "the disk of guest %s is %s, and pool %s of compute host %s would have it as %s",
				j.guest.node.UUID, v.name, j.shape.Pool, j.to.NodeUUID, j.shape.root())
		}
	}
	return nil
}

// inPlace says whether the guest's volumes are where the other host looks for them.
func (j *journey) inPlace(volumes []volumeOf) bool {
	elsewhere := func(v volumeOf) bool { return v.pool != j.shape.Pool }
	return sharedPool(&j.from, &j.to, j.shape.Pool) && !slices.ContainsFunc(volumes, elsewhere)
}
