package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// route is a method and a path below /v1. Below the version since, the path does not exist. The rule is a row of policy.go,
// or public.
type route struct {
	method, path string
	since        int
	rule         string
	handle       handler
}

// Patterns are the methods and paths that users may call, "GET /v1/nodes/{node}", for whoever describes or tests them.
func (a *API) Patterns() []string {
	var patterns []string
	for _, rt := range a.userRoutes(newTables()) {
		prefix := "/v1"
		if probe(rt.path) {
			prefix = ""
		}
		patterns = append(patterns, rt.method+" "+prefix+rt.path)
	}
	return patterns
}

// late is a route that answers 405 below its version, and not 404: the writes on the resources that Ironic added last.
func late(method, path string, since int, rule string, handle handler) route {
	return route{method, path, 1, rule, func(r *request) (response, error) {
		if !r.since(since) {
			return response{}, frameworkError{http.StatusMethodNotAllowed, notAllowed(path)}
		}
		return handle(r)
	}}
}

// unknown answers below the version that brought a route, in the way of its resource.
func (rt route) unknown(*request) (response, error) {
	if contains([]string{"/portgroups", "/volume", "/nodes/{node}/volume", "/conductors", "/lookup", "/heartbeat/{node}", "/nodes/{node}/management/inject_nmi"}, rt.path) {
		return response{}, ingot.Errorf(ingot.NotFound, "Resource could not be found.")
	}
	return response{}, frameworkError{http.StatusNotFound, notAllowed(rt.path)}
}

func (rt route) resource() string { return strings.Split(rt.path, "/")[1] }

// notAllowed is what Ironic says in versions that have not the resource at a path: something of its later ones.
func notAllowed(path string) string {
	switch name := (route{path: path}).resource(); name {
	case "deploy_templates", "allocations", "shards", "runbooks", "inspection_rules":
		return "The API version does not allow " + strings.ReplaceAll(name, "_", " ")
	}
	return ""
}

// userRoutes is everything that users may call. A part of the API that is nil takes its routes with it.
func (a *API) userRoutes(t *tables) []route {
	groups := [][]route{
		discoveryRoutes(),
		a.nodeRoutes(), a.stateRoutes(), a.managementRoutes(), a.recordRoutes(), a.vifRoutes(),
		a.portRoutes(t), a.portgroupRoutes(t), a.chassisRoutes(t), a.volumeRoutes(t),
		a.computeRoutes(t), a.guestBMCRoutes(),
		t.templates.routes(a), a.runbookRoutes(t), a.inspectionRuleRoutes(t), a.allocationRoutes(t),
		a.driverRoutes(), a.serviceRoutes(),
	}
	if a.DevRamdisk {
		groups = append(groups, a.agentRoutes())
	}
	return slices.Concat(groups...)
}

// where gives the routes if there is what they need.
func where(has bool, routes ...route) []route {
	if !has {
		return nil
	}
	return routes
}

// discoveryRoutes say what the service is and which versions it speaks.
func discoveryRoutes() []route {
	return []route{{"GET", "", 1, public, showVersion}}
}

// agentRoutes are what machines call: ramdisks, and systems that Ingot has put on compute hosts.
func (a *API) agentRoutes() []route {
	return append(where(a.Agents != nil,
		route{"GET", "/lookup", 22, public, lookup},
		route{"POST", "/heartbeat/{node}", 22, public, heartbeat},
		route{"POST", "/continue_inspection", 1, public, continueInspection},
	), where(a.computes(), route{"POST", "/phone_home/{node}", 1, public, phoneHome})...)
}

func (a *API) ramdiskRoutes() []route {
	return append(discoveryRoutes(), a.agentRoutes()...)
}
