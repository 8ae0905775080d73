package api

import "github.com/ingot-metal/ingot"

// checkFallback looks at what a new allocation says of guests (extra.placement): whether this service has them, whether
// the caller may ask for one, and whether the flavor is there.
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
		_, err = r.flavorOf(wish.Flavor)
	}
	return err
}
