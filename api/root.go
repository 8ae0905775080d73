package api

import "strings"

// version is the one version that discovery tells of.
func (r *request) version() map[string]any {
	return map[string]any{
		"id":          "v1",
		"links":       []map[string]string{{"href": r.publicURL() + "/v1/", "rel": "self"}},
		"status":      "CURRENT",
		"min_version": versionText(minMinor),
		"version":     versionText(maxMinor),
	}
}

// showRoot is GET /. Its name is the one that clients look for.
func showRoot(r *request) (response, error) {
	return response{body: map[string]any{
		"name":            "OpenStack Ironic API",
		"description":     "Ingot provisions servers; it speaks the API of OpenStack Ironic.",
		"default_version": r.version(),
		"versions":        []any{r.version()},
	}}, nil
}

// showVersion is GET /v1: a pair of links for each resource that the version has and this service carries.
func showVersion(r *request) (response, error) {
	body := map[string]any{
		"id":          "v1",
		"links":       []map[string]string{{"href": r.publicURL() + "/v1/", "rel": "self"}, {"href": r.publicURL() + "/docs", "rel": "describedby", "type": "text/html"}},
		"media_types": map[string]string{"base": "application/json", "type": "application/vnd.openstack.ironic.v1+json"},
		"version":     r.version(),
	}
	for name, since := range listedSince(r.api.userRoutes(r.tables)) {
		if !r.since(since) {
			continue
		}
		body[name] = []map[string]string{
			{"href": r.link(name + "/"), "rel": "self"},
			{"href": r.publicURL() + "/" + name + "/", "rel": "bookmark"},
		}
	}
	return response{body: body}, nil
}

// listedSince are the resources that discovery lists, each with the version since which it does: that of the first route
// that reads it, or of the first one at all. continue_inspection works before it is listed, and so does the stream of
// events, which Ironic has not.
func listedSince(routes []route) map[string]int {
	since, reads := map[string]int{}, map[string]bool{}
	for _, rt := range routes {
		name := strings.Split(strings.TrimPrefix(rt.path, "/"), "/")[0]
		first, known := since[name]
		switch get := rt.method == "GET"; {
		case name == "" || probe(rt.path) || reads[name] && !get:
		case !known || rt.since < first || get && !reads[name]:
			since[name], reads[name] = rt.since, get
		}
	}
	for name, first := range map[string]int{"continue_inspection": 84, "events": 54} {
		if _, served := since[name]; served {
			since[name] = first
		}
	}
	return since
}
