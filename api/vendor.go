package api

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/ingot-metal/ingot"
)

// Vendors carries out what drivers offer beyond the API's words.
type Vendors interface {
	VendorMethods(ctx context.Context, node ingot.Node) ([]ingot.VendorMethod, error)
	// CallVendor gives the answer of a synchronous method; an asynchronous one goes on after it.
	CallVendor(ctx context.Context, node ingot.Node, name, httpMethod string, args map[string]any) (ingot.VendorMethod, any, error)
}

// vendorRoutes are the paths of vendor methods: clients name one after a slash or as ?method=.
func vendorRoutes() []route {
	routes := []route{
		{"GET", "/nodes/{node}/vendor_passthru/methods", 1, "node:vendor_passthru", listVendorMethods},
		{"GET", "/drivers/{driver}/vendor_passthru/methods", 1, "driver:vendor_passthru", listDriverMethods},
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		routes = append(routes,
			route{method, "/nodes/{node}/vendor_passthru", 1, "node:vendor_passthru", atMachine(callVendor)},
			route{method, "/nodes/{node}/vendor_passthru/{method}", 1, "node:vendor_passthru", atMachine(callVendor)},
			route{method, "/drivers/{driver}/vendor_passthru", 1, "driver:vendor_passthru", callDriver},
			route{method, "/drivers/{driver}/vendor_passthru/{method}", 1, "driver:vendor_passthru", callDriver},
		)
	}
	return routes
}

// listVendorMethods is GET /v1/nodes/{node}/vendor_passthru/methods.
func listVendorMethods(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	methods, err := r.api.Vendors.VendorMethods(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	body := make(map[string]any, len(methods))
	for _, m := range methods {
		body[m.Name] = map[string]any{
			"http_methods": m.HTTP, "async": m.Async, "description": m.Description, "attach": false, "require_exclusive_lock": m.Lock,
		}
	}
	return response{body: body}, nil
}

// callVendor is any request to /v1/nodes/{node}/vendor_passthru.
func callVendor(r *request) (response, error) {
	name, args, err := r.vendorCall()
	if err != nil {
		return response{}, err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	method, answer, err := r.api.Vendors.CallVendor(r.Context(), node, name, r.Method, args)
	switch {
	case err != nil:
		return response{}, bmcFailure(err)
	case method.Async:
		return response{status: http.StatusAccepted}, nil
	}
	return response{body: answer}, nil
}

// vendorCall reads which method is called, and with what.
func (r *request) vendorCall() (name string, args map[string]any, err error) {
	r.asked = true
	query := r.URL.Query()
	name = r.param("method")
	if name == "" {
		name = query.Get("method")
		if !query.Has("method") {
			return "", nil, ingot.Errorf(ingot.Invalid, "Missing mandatory parameter: method")
		}
	}
	if query.Del("method"); len(query) > 0 {
		return "", nil, errUnexpected(slices.Collect(maps.Keys(query)))
	}
	if name == "" {
		return "", nil, ingot.Errorf(ingot.Invalid, "Method not specified")
	}
	body, err := r.json()
	if err != nil {
		return "", nil, err
	}
	if body == nil {
		return name, map[string]any{}, nil
	}
	args, ok := body.(map[string]any)
	if !ok {
		return "", nil, ingot.Errorf(ingot.Invalid, "Expected an object in the request's body: %s", repr(body))
	}
	return name, args, nil
}

// listDriverMethods is GET /v1/drivers/{driver}/vendor_passthru/methods. No hardware type has methods without a node.
func listDriverMethods(r *request) (response, error) {
	if _, err := r.driver(); err != nil {
		return response{}, err
	}
	return response{body: map[string]any{}}, nil
}

// callDriver is any request to /v1/drivers/{driver}/vendor_passthru.
func callDriver(r *request) (response, error) {
	name, _, err := r.vendorCall()
	if err != nil {
		return response{}, err
	}
	if _, err := r.driver(); err != nil {
		return response{}, err
	}
	return response{}, ingot.Errorf(ingot.Invalid, "No handler for method %s", name)
}
