package fake

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// vendorMethods are those of Ironic's two fake vendor interfaces, each with the word that it waits for.
var vendorMethods = [...]struct {
	ingot.VendorMethod
	word string
}{
	{ingot.VendorMethod{Name: "first_method", HTTP: []string{"POST"}, Async: true, Lock: true, Description: "Test if the value of bar is baz"}, "baz"},
	{ingot.VendorMethod{Name: "second_method", HTTP: []string{"POST"}, Async: true, Lock: true, Description: "Test if the value of bar is kazoo"}, "kazoo"},
	{ingot.VendorMethod{Name: "third_method_sync", HTTP: []string{"POST"}, Lock: true, Description: "Test if the value of bar is meow"}, "meow"},
	{ingot.VendorMethod{Name: "fourth_method_shared_lock", HTTP: []string{"POST"}, Async: true, Description: "Test if the value of bar is woof"}, "woof"},
}

// VendorMethods lists them.
func (m *machine) VendorMethods() []ingot.VendorMethod {
	list := make([]ingot.VendorMethod, 0, len(vendorMethods))
	for _, v := range vendorMethods {
		list = append(list, v.VendorMethod)
	}
	return list
}

// CheckVendor wants bar.
func (m *machine) CheckVendor(method string, args map[string]any) error {
	if ingot.Text(args, "bar") == "" {
		return ingot.Errorf(ingot.Invalid, "Parameter 'bar' not passed to method '%s'.", method)
	}
	return nil
}

// CallVendor compares bar with the method's word.
func (m *machine) CallVendor(_ context.Context, method string, args map[string]any) (any, error) {
	for _, v := range vendorMethods {
		if v.Name == method {
			return ingot.Text(args, "bar") == v.word, nil
		}
	}
	return nil, ingot.Errorf(ingot.Invalid, "No handler for method %s", method)
}
