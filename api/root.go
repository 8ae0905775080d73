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
		"links":       []map[string]string{{"href": r.publicURL() + "/v1/", "rel": "self"}},
		"media_types": map[string]string{"base": "application/json", "type": "application/vnd.openstack.ironic.v1+json"},
		"version":     r.version(),
	}
	for _, rt := range r.api.userRoutes(r.tables) {
		name := strings.Split(strings.TrimPrefix(rt.path, "/"), "/")[0]
		if since := firstListed(rt, name); name == "" || probe(rt.path) || !r.since(since) || body[name] != nil {
			continue
		}
		body[name] = []map[string]string{
			{"href": r.link(name + "/"), "rel": "self"},
			{"href": r.publicURL() + "/" + name + "/", "rel": "bookmark"},
		}
	}
	return response{body: body}, nil
}

// firstListed is the version since which discovery lists a resource: continue_inspection works before it is listed, and
// so does the stream of events, which Ironic has not.
func firstListed(rt route, name string) int {
	switch name {
	case "continue_inspection":
		return 84
	case "events":
		return 54
	}
	return rt.since
}
