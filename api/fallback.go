package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// checkFallback looks at what a new allocation says of guests (extra.placement): whether this service has them, whether
// the caller may ask for one, and whether the flavor and the networks are there.
func (r *request) checkFallback(a *ingot.Allocation, backfill bool) error {
	wish, err := a.Wish()
	asked := wish.Fallback != ingot.FallbackNever
	if !r.api.computes() {
		if asked {
			return ingot.Errorf(ingot.Unsupported, "This service has no compute hosts for an allocation to fall back to.")
		}
		return nil // notes of the client's own, as in Ironic
	}
	switch {
	case err != nil:
		return err
	case a.Result().Kind != "" || a.Result().Attempts != 0:
		return ingot.Errorf(ingot.Invalid, "extra.placement.result of an allocation is for the answer")
	case !asked:
		return nil
	case backfill:
		return ingot.Errorf(ingot.Invalid, "An allocation that names its node can not fall back to a guest.")
	case !r.may("allocation:create_fallback", holder{}):
		return errDenied("allocation:create_fallback")
	case wish.Flavor != "":
		if _, err = r.flavorOf(wish.Flavor); err != nil {
			return err
		}
	}
	return r.knownNetworks(a.Owner, wish.Networks)
}

// keepPlacement refuses patches of what an allocation says of guests: that was looked at when it was made, and the result
// in it says what was tried already. What is no object is a note of the client's own, as all of extra is in Ironic.
func keepPlacement(r *request, _ *ingot.Allocation, _ []patchOp) (func(before, after *ingot.Allocation) error, error) {
	return func(before, after *ingot.Allocation) error {
		was, is := before.Extra["placement"], after.Extra["placement"]
		_, wasWish := was.(map[string]any)
		_, isWish := is.(map[string]any)
		if !r.api.computes() || !wasWish && !isWish || reflect.DeepEqual(was, is) {
			return nil
		}
		return ingot.Errorf(ingot.Invalid, "extra.placement of allocation %s can not be changed: an allocation says at first whether a guest will do.", after.UUID)
	}, nil
}

// knownNetworks refuses physical networks that no compute host has on which a project's guests may be.
func (r *request) knownNetworks(project string, asked []string) error {
	if len(asked) == 0 {
		return nil
	}
	hosts, err := r.api.Guests.ComputeHosts(r.Context())
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for i := range hosts {
		for _, network := range hosts[i].Hypervisor.Networks {
			if hosts[i].OpenTo(project) {
				known[network.PhysicalNetwork] = true
			}
		}
	}
	for _, name := range asked {
		if !known[name] {
			names := append(slices.Sorted(maps.Keys(known)), "no other")
			return ingot.Errorf(ingot.Invalid, "No compute host has the physical network %s; there are: %s.", name, strings.Join(names, ", "))
		}
	}
	return nil
}
