package httpapi

import "net/http"

// Link is a reference as OpenStack APIs give them.
type Link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
	Type string `json:"type,omitempty"`
}

// Version is the API's version, for discovery.
type Version struct {
	ID    string `json:"id"`
	Links []Link `json:"links"`
}

// docs is where ironic-python-agent's "describedby" links lead.
const docs = "https://docs.openstack.org/ironic-python-agent/"

func version(base string) Version {
	return Version{ID: "v1", Links: []Link{
		{Href: base + "/v1", Rel: "self"},
		{Href: docs, Rel: "describedby", Type: "text/html"},
	}}
}

// base is the URL that the client used for this server.
func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (a *API) root(w http.ResponseWriter, r *http.Request) {
	v := version(base(r))
	respond(w, http.StatusOK, map[string]any{
		"name":            "OpenStack Ironic Python Agent API",
		"description":     "Ironic Python Agent is a provisioning agent for OpenStack Ironic",
		"versions":        []Version{v},
		"default_version": v,
	})
}

func (a *API) v1(w http.ResponseWriter, r *http.Request) {
	b := base(r)
	v := version(b)
	links := func(resource string) []Link {
		return []Link{{Href: b + "/v1/" + resource, Rel: "self"}, {Href: b + "/" + resource, Rel: "bookmark"}}
	}
	respond(w, http.StatusOK, map[string]any{
		"id": v.ID, "links": v.Links,
		"commands": links("commands"), "status": links("status"),
		"media_types": []map[string]string{{
			"base": "application/json", "type": "application/vnd.openstack.ironic-python-agent.v1+json",
		}},
	})
}
