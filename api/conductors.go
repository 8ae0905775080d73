package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// conductorFields are what the wire knows of conductors.
func conductorFields() []field[ingot.Conductor, struct{}] {
	type conductor = ingot.Conductor
	return []field[conductor, struct{}]{
		{name: "hostname", brief: true, column: text(func(c *conductor) *string { return &c.Hostname })},
		{name: "conductor_group", brief: true, column: emptyText(func(c *conductor) *string { return &c.Group })},
		{name: "alive", brief: true, column: computed(func(c *conductor) any { return c.Alive })},
		{name: "drivers", column: computed(func(c *conductor) any { return slices.Concat([]string{}, c.Drivers) })},
		{name: "created_at", column: moment(func(c *conductor) *time.Time { return &c.CreatedAt })},
		{name: "updated_at", column: moment(func(c *conductor) *time.Time { return &c.UpdatedAt })},
	}
}

func (r *request) renderConductor(c *ingot.Conductor, fields []string) pairs {
	out := viewOf(r, r.tables.conductors, fields).render(c, 1)
	out.set("links", r.links("conductors/"+c.Hostname))
	return out
}

// conductors are all of them in the order of a field, "" for their names: there are few.
func (r *request) conductors(key string) ([]ingot.Conductor, error) {
	list, err := r.api.Drivers.Conductors(r.Context())
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	if key == "" {
		key = "hostname"
	}
	i := slices.IndexFunc(r.tables.conductors, func(f field[ingot.Conductor, struct{}]) bool { return f.name == key })
	get := r.tables.conductors[i].get // one of them, as selectionOf has seen
	slices.SortStableFunc(list, func(a, b ingot.Conductor) int { return strings.Compare(fmt.Sprint(get(&a)), fmt.Sprint(get(&b))) })
	return list, nil
}

// listConductors is GET /v1/conductors. Its marker is a host name.
func listConductors(r *request) (response, error) {
	a := r.args(pageArgs(false)...)
	marker := a.text("marker")
	delete(a.values, "marker")
	s := selectionOf(r, a, r.tables.conductors)
	if a.err != nil {
		return response{}, a.err
	}
	list, err := r.conductors(s.page.SortKey)
	if err != nil {
		return response{}, err
	}
	if s.page.Desc {
		slices.Reverse(list)
	}
	if marker != "" {
		i := slices.IndexFunc(list, func(c ingot.Conductor) bool { return c.Hostname == marker })
		if i < 0 {
			return response{}, errNoConductor(marker)
		}
		list = list[i+1:]
	}
	list = list[:min(len(list), s.page.Limit)]
	items := listOf(list, func(c *ingot.Conductor) string { return c.Hostname }, func(c *ingot.Conductor) pairs { return r.renderConductor(c, s.fields) })
	return r.collection("conductors", "conductors", items, s.page.Limit), nil
}

// showConductor is GET /v1/conductors/{conductor}.
func showConductor(r *request) (response, error) {
	a := r.args("fields")
	fields := fieldsOf(r, a, r.tables.conductors)
	if a.err != nil {
		return response{}, a.err
	}
	list, err := r.conductors("")
	if err != nil {
		return response{}, err
	}
	name := r.param("conductor")
	for i := range list {
		if list[i].Hostname == name {
			return response{body: r.renderConductor(&list[i], fields)}, nil
		}
	}
	return response{}, errNoConductor(name)
}

func errNoConductor(name string) error {
	return ingot.Errorf(ingot.NotFound, "Conductor %s could not be found.", name)
}
