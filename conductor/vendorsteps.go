package conductor

import (
	"context"
	"slices"

	"github.com/ingot-metal/ingot"
)

// Steps of the fake vendor interface, with which Ironic tries its own lists.

// logsPassthrough says whether a node's vendor interface is the fake one.
func logsPassthrough(c *Conductor, n *ingot.Node) bool {
	vendor, err := able[ingot.Vendor](c, n, "vendor", "vendor")
	return err == nil && slices.ContainsFunc(vendor.VendorMethods(), func(m ingot.VendorMethod) bool { return m.Name == ingot.LogPassthrough })
}

// logPassthrough calls the method of that name, which may be repeated.
func logPassthrough(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		_, err := callVendor(ctx, r.Node, m, ingot.LogPassthrough, args)
		return err
	})
	return Holds(), err
}

// awaitHeartbeat has the node wait for its agent (Ironic's trigger_servicewait).
func awaitHeartbeat(ctx context.Context, r *Run, _ map[string]any) (Progress, error) {
	return r.nextHeartbeat(ctx)
}
