package conductor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// VendorMethods are the methods of a node's vendor interface (Ironic: GET vendor_passthru/methods); none for a node
// without one.
func (c *Conductor) VendorMethods(_ context.Context, node ingot.Node) ([]ingot.VendorMethod, error) {
	vendor, err := able[ingot.Vendor](c, &node, "vendor", "vendor")
	switch {
	case ingot.CodeOf(err) == ingot.Unsupported:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return vendor.VendorMethods(), nil
}

// CallVendor carries out a vendor method (Ironic: vendor_passthru?method=): at once, with its answer, or as an operation
// for a method that is asynchronous.
func (c *Conductor) CallVendor(ctx context.Context, node ingot.Node, name, httpMethod string, args map[string]any) (ingot.VendorMethod, any, error) {
	methods, err := c.VendorMethods(ctx, node)
	if err != nil {
		return ingot.VendorMethod{}, nil, err
	}
	i := slices.IndexFunc(methods, func(m ingot.VendorMethod) bool { return m.Name == name })
	if i < 0 {
		return ingot.VendorMethod{}, nil, ingot.Errorf(ingot.Invalid, "No handler for method %s", name)
	}
	method := methods[i]
	if !slices.Contains(method.HTTP, httpMethod) {
		return method, nil, ingot.Errorf(ingot.Invalid, "The method %s does not support HTTP %s", name, httpMethod)
	}
	if method.Lock {
		if err := c.free(&node); err != nil {
			return method, nil, err
		}
	}
	vendor, err := able[ingot.Vendor](c, &node, "vendor", "vendor")
	if err != nil {
		return method, nil, err
	}
	if err := vendor.CheckVendor(name, args); err != nil {
		return method, nil, err
	}
	if method.Async {
		return method, nil, c.startAside(ctx, &node, ingot.KindVendor, map[string]any{"method": name, "args": args})
	}
	var answer any
	err = c.exchange(ctx, &node, func(ctx context.Context, m ingot.Machine) error {
		answer, err = callVendor(ctx, &node, m, name, args)
		return err
	})
	return method, answer, err
}

func callVendor(ctx context.Context, n *ingot.Node, m ingot.Machine, name string, args map[string]any) (any, error) {
	vendor, err := ability[ingot.Vendor](n, m, "vendor", "vendor")
	if err != nil {
		return nil, err
	}
	return vendor.CallVendor(ctx, name, args)
}

// callVendor carries out an asynchronous vendor method, which is never repeated: that it is about to be called is written
// down by itself before. An operation that finds that note was cut off in the middle, and nobody can say whether the
// method was carried out.
func (c *Conductor) callVendor(ctx context.Context, r *Run) (Progress, error) {
	name := ingot.Text(r.Op.Params, "method")
	args, _ := r.Op.Params["args"].(map[string]any)
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		if err := r.onlyOnce(ctx, "vendor method "+name); err != nil {
			return err
		}
		_, err := callVendor(ctx, r.Node, m, name, args)
		return ingot.Fatal(err)
	})
	if err != nil {
		return Progress{}, fmt.Errorf("cannot finish vendor method %s: %w", name, err)
	}
	return Holds(), nil
}

// onlyOnce writes down that something is about to be done that must not be done twice; it fails for good when that was
// written before.
func (r *Run) onlyOnce(ctx context.Context, what string) error {
	key := "begun/" + r.commandID()
	switch _, _, err := r.c.Blobs.Blob(ctx, key); {
	case err == nil:
		return ingot.Fatalf("cannot say whether %s was carried out: the service stopped in the middle of it; it is not repeated by itself", what)
	case ingot.CodeOf(err) != ingot.NotFound:
		return err
	}
	return r.c.Blobs.PutBlob(ctx, key, "text/plain", []byte(what), r.Now.Add(begunKept))
}

// begunKept is how long such a note is kept: longer than any operation lasts.
const begunKept = 30 * 24 * time.Hour
