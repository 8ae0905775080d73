package api

import "github.com/ingot-metal/ingot"

// Ironic lists ports, port groups, volumes and nodes below what they belong to, and refuses to make, show or change a
// single one there: each has one path of its own.

// misplaced is a list below another thing, and what is in it.
type misplaced struct {
	path, one, rule string
	since           int
	// find looks for the one in the path before anything is said against the path; nil does not.
	find func(*request) error
}

// misplacedRoutes refuse what is asked for below another thing. They are no part of what the service offers.
func misplacedRoutes(t *tables) []route {
	var routes []route
	for _, m := range []misplaced{
		{"/nodes/{node}/ports", "port", "port", 1, nil},
		{"/portgroups/{portgroup}/ports", "port", "port", 24, nil},
		{"/nodes/{node}/portgroups", "portgroup", "portgroup", 24, seek(t.portgroups)},
		{"/nodes/{node}/volume/connectors", "connector", "volume", 32, seek(t.connectors)},
		{"/nodes/{node}/volume/targets", "target", "volume", 32, seek(t.targets)},
		{"/chassis/{chassis}/nodes", "node", "node", 1, nil},
	} {
		one := m.path + "/{" + m.one + "}"
		routes = append(routes,
			route{"POST", m.path, m.since, m.rule + ":create", m.refuse},
			route{"GET", one, m.since, m.rule + ":get", m.refuse},
			route{"PATCH", one, m.since, m.rule + ":update", m.refuse},
			route{"DELETE", one, m.since, m.rule + ":delete", m.refuse},
		)
	}
	return routes
}

func (m misplaced) refuse(r *request) (response, error) {
	if m.find != nil && r.param(m.one) != "" {
		if err := m.find(r); err != nil {
			return response{}, err
		}
	}
	return response{}, ingot.Errorf(ingot.Invalid, "Malformed request URI.")
}

// seek finds the one that the path names, and judges the route's rule for it.
func seek[T, Q any](s *resource[T, Q]) func(*request) error {
	return func(r *request) error {
		_, err := s.find(r)
		return err
	}
}
