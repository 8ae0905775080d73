package fake

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// vendorMethods are those of Ironic's two fake vendor interfaces, each with the word that it waits for; "" for the one that
// takes anything.
var vendorMethods = [...]struct {
	ingot.VendorMethod
	word string
}{
	{ingot.VendorMethod{Name: "first_method", HTTP: []string{"POST"}, Async: true, Lock: true, Description: "Test if the value of bar is baz"}, "baz"},
	{ingot.VendorMethod{Name: "second_method", HTTP: []string{"POST"}, Async: true, Lock: true, Description: "Test if the value of bar is kazoo"}, "kazoo"},
	{ingot.VendorMethod{Name: "third_method_sync", HTTP: []string{"POST"}, Lock: true, Description: "Test if the value of bar is meow"}, "meow"},
	{ingot.VendorMethod{Name: "fourth_method_shared_lock", HTTP: []string{"POST"}, Async: true, Description: "Test if the value of bar is woof"}, "woof"},
	{ingot.VendorMethod{Name: ingot.LogPassthrough, HTTP: []string{"POST"}, Async: true, Lock: true, Description: "Test pass-through to wait."}, ""},
}

// VendorMethods lists them.
func (m *machine) VendorMethods() []ingot.VendorMethod {
	list := make([]ingot.VendorMethod, 0, len(vendorMethods))
	for _, v := range vendorMethods {
		list = append(list, v.VendorMethod)
	}
	return list
}

// CheckVendor wants bar where a word is waited for.
func (m *machine) CheckVendor(method string, args map[string]any) error {
	if method != ingot.LogPassthrough && ingot.Text(args, "bar") == "" {
		return ingot.Errorf(ingot.Invalid, "Parameter 'bar' not passed to method '%s'.", method)
	}
	return nil
}

// CallVendor compares bar with the method's word, or logs that it was called, after the configured delay.
func (m *machine) CallVendor(ctx context.Context, method string, args map[string]any) (any, error) {
	for _, v := range vendorMethods {
		if v.Name != method {
			continue
		}
		if err := pass(ctx, m.rack.Delays.Vendor.draw()); err != nil {
			return nil, err
		}
		if v.word == "" {
			m.rack.Log.Debug("a fake vendor method was called", "node", m.node, "method", method, "args", len(args))
			return nil, nil
		}
		return ingot.Text(args, "bar") == v.word, nil
	}
	return nil, ingot.Errorf(ingot.Invalid, "No handler for method %s", method)
}

// pass lets a delay pass, as the answer of a real BMC would be waited for.
func pass(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
