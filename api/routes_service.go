package api

import "slices"

// driverRoutes are of hardware types and conductors.
func (a *API) driverRoutes() []route {
	return slices.Concat(
		where(a.Drivers != nil,
			route{"GET", "/drivers", 1, "driver:get", listDrivers},
			route{"GET", "/drivers/{driver}", 1, "driver:get", showDriver},
			route{"GET", "/drivers/{driver}/properties", 1, "driver:get_properties", showDriverProperties},
			route{"GET", "/conductors", 49, "conductor:get", listConductors},
			route{"GET", "/conductors/{conductor}", 49, "conductor:get", showConductor},
		),
		where(a.Shards != nil,
			route{"GET", "/shards", 82, "shards:get", listShards},
		),
	)
}

// serviceRoutes are of the service itself: its events, its networks, its health and its documents.
func (a *API) serviceRoutes() []route {
	return slices.Concat(
		where(a.Events != nil,
			route{"GET", "/events", 1, "event_stream:list", streamEvents},
			route{"POST", "/events", 54, "events:post", postEvents},
		),
		where(true,
			route{"GET", "/networks", 1, "network:get", listNetworks},
			route{"GET", "/openapi.yaml", 0, public, showOpenAPI},
			route{"GET", "/docs", 0, public, showDocs},
		),
		where(a.Leases != nil,
			route{"GET", "/networks/{network}/leases", 1, "network:get", listLeases},
		),
		a.probeRoutes("metrics:get"),
	)
}

// probeRoutes are of the process that is asked.
func (a *API) probeRoutes(figures string) []route {
	return slices.Concat(
		where(true,
			route{"GET", "/healthz", 0, public, showReady},
			route{"GET", "/livez", 0, public, showAlive},
		),
		where(a.Registry != nil,
			route{"GET", "/metrics", 0, figures, showMetrics},
		),
	)
}
