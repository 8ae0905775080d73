package api

import (
	"cmp"
	"context"

	"github.com/ingot-metal/ingot"
)

// Records is what the handlers of a simple resource need of the store: T is the thing, Q the query that selects it.
type Records[T, Q any] interface {
	// Get finds one by UUID or, where its sort has them, MAC address or name; NotFound when there is none.
	Get(ctx context.Context, ident string) (T, error)
	// List is NotFound when the page's marker is none.
	List(ctx context.Context, query Q) ([]T, error)
	// Create fills in what the store chooses (version, times). It is Conflict when something that only one may have is
	// another's, which the sentence names; NotFound or Invalid when it does not go with the rest of the store.
	Create(ctx context.Context, t *T, events ...ingot.Event) error
	// Change gives the thing as it is after the change, which runs in the transaction and may run more than once;
	// version 0 takes any.
	Change(ctx context.Context, uuid string, version int64, change func(*T) error, events ...ingot.Event) (T, error)
	// Delete is Conflict when the thing is no longer of the version, and Invalid while others need it.
	Delete(ctx context.Context, uuid string, version int64, events ...ingot.Event) error
}

// resource is all that is particular to one simple resource. Its handlers (resource_list.go, resource_change.go) are
// those of every such resource: what they need beside the table of fields is a hook here, and a nil hook does nothing.
type resource[T, Q any] struct {
	name string // one of them, in sentences and events: "port"
	noun string // as sentences begin: "Port"
	path string // below /v1: "ports"
	list string // the name of a list of them; "" is path
	// param is the name of the path's part that names one; "" is name.
	param string
	topic string // what events about it begin with; "" is name
	since int    // the first minor version that has the resource
	// detail is the first version whose lists take the parameter detail; 0 is 43, as for most. noDetail is for resources
	// that came after the path /detail had gone out of use.
	detail   int
	noDetail bool
	// rule is the resource's name in the policy: its routes have the rules rule:get, :create, :update, :delete and :list.
	rule string
	// node and owner say whose a thing is: the node's that it belongs to, or a project's of its own. Where both are nil, who
	// may do something may do it to all, and there is no rule for lists: it is rule:get.
	node  func(*T) string
	owner func(*T) string
	// project is where a list is confined to what is a project's; it goes with node or owner.
	project func(*Q) *string
	// asked is the project whose things a list's filters ask for; nil where there is no such filter.
	asked func(*Q) string
	// shared says that everybody may see a thing, though it is not theirs.
	shared func(*T) bool
	named  int // the first that finds one by its name; 0 is never
	// patched is the first version that can patch one; 0 is since.
	patched int
	// late resources came when Ironic had begun to answer 405 to writes below their version, and to have no lists at
	// "/detail".
	late bool

	fields []field[T, Q]
	store  func(*API) Records[T, Q]
	uuid   func(*T) string
	// version is the row's, for deleting what was judged.
	version func(*T) int64
	page    func(*Q) *ingot.Page
	// tell is which node an event is about, and what it says of the thing.
	tell func(*T) (node string, data map[string]any)

	// params are list parameters that are no fields, and narrow reads them.
	params []string
	narrow func(r *request, a *args, q *Q) error
	// exclusive refuses filters that do not go together.
	exclusive func(q *Q) error
	// fresh is a new thing before the body fills it; the zero value when nil.
	fresh func() T
	// take fills a new thing from the body of a POST, in place of fill alone.
	take func(r *request, body any, t *T) error
	// judge prepares a patch: what it gives runs in the transaction, with the thing before and after.
	judge func(r *request, t *T, ops []patchOp) (func(before, after *T) error, error)
	// older makes an answer what the client's version expects, where hiding fields is not enough.
	older func(r *request, out pairs)
	// created is told of a new thing that was stored.
	created func(r *request, t *T)
	// veil hides what may not be shown of one.
	veil func(t *T, out pairs)
	// deletable says why the thing may not be deleted.
	deletable func(r *request, t *T) error
}

// routes are the resource's own, where this service has a store for it.
func (s *resource[T, Q]) routes(a *API) []route {
	if s.store(a) == nil {
		return nil
	}
	all, one := "/"+s.path, "/"+s.path+"/{"+s.pathParam()+"}"
	if s.late {
		return []route{
			{"GET", all, s.since, s.listRule(), s.handleList},
			{"GET", one, s.since, s.rule + ":get", s.handleShow},
			late("POST", all, s.since, s.rule+":create", s.handleCreate),
			late("PATCH", one, max(s.since, s.patched), s.rule+":update", s.handlePatch),
			late("DELETE", one, s.since, s.rule+":delete", s.handleDelete),
		}
	}
	routes := []route{
		{"GET", all, s.since, s.listRule(), s.handleList},
		{"POST", all, s.since, s.rule + ":create", s.handleCreate},
		{"GET", one, s.since, s.rule + ":get", s.handleShow},
		{"PATCH", one, s.since, s.rule + ":update", s.handlePatch},
		{"DELETE", one, s.since, s.rule + ":delete", s.handleDelete},
	}
	if !s.noDetail {
		routes = append(routes, route{"GET", all + "/detail", s.since, s.listRule(), s.handleDetail})
	}
	return routes
}

// below are the routes of the resource's lists under another thing: the path has its part in braces, and narrow selects
// what belongs to it.
func (s *resource[T, Q]) below(a *API, path string, since int, narrow func(r *request, q *Q) error) []route {
	if s.store(a) == nil {
		return nil
	}
	list := func(path string, detail bool) route {
		return route{"GET", path, since, s.listRule(), func(r *request) (response, error) { return s.listAs(r, detail, narrow) }}
	}
	if s.noDetail {
		return []route{list(path, false)}
	}
	return []route{list(path, false), list(path+"/detail", true)}
}

func (s *resource[T, Q]) listRule() string {
	if s.project == nil {
		return s.rule + ":get"
	}
	return s.rule + ":list"
}

// permit judges the route's rule for a thing. Who may not see it is told that it is missing.
func (s *resource[T, Q]) permit(r *request, t *T, missing error) error {
	shared := s.shared != nil && s.shared(t)
	switch {
	case s.node != nil:
		return r.ofNode(s.node(t), missing)
	case shared && r.rule == s.rule+":get":
		r.judged = true
		return nil
	case s.owner != nil && !shared && !r.may(s.rule+":get", holder{owner: s.owner(t)}):
		return missing
	}
	return r.allow(s.holder(t))
}

func (s *resource[T, Q]) holder(t *T) holder {
	if s.owner == nil {
		return holder{}
	}
	return holder{owner: s.owner(t)}
}

func (s *resource[T, Q]) pathParam() string {
	if s.param != "" {
		return s.param
	}
	return s.name
}

func (s *resource[T, Q]) missing(ident string) error {
	return ingot.Errorf(ingot.NotFound, "%s %s could not be found.", s.noun, ident)
}

// find finds the one that the path names.
func (s *resource[T, Q]) find(r *request) (T, error) {
	ident, err := r.ident(s.pathParam(), s.name)
	if err != nil {
		return *new(T), err
	}
	return s.get(r, ident)
}

// get finds one by its UUID or, in versions that have them, its name, and judges the route's rule for it.
func (s *resource[T, Q]) get(r *request, ident string) (T, error) {
	_, isUUID := canonicalUUID(ident)
	switch {
	case !isUUID && s.named == 0:
		return *new(T), ingot.Errorf(ingot.Invalid, "Expected UUID for %s: %s", s.name, ident)
	case !isUUID && !r.since(s.named):
		return *new(T), s.missing(ident)
	}
	t, err := s.store(r.api).Get(r.Context(), ident)
	if ingot.CodeOf(err) == ingot.NotFound && r.suffix {
		t, err = s.store(r.api).Get(r.Context(), ident+".json")
	}
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return t, s.missing(ident)
	case err != nil:
		return t, err
	}
	return t, s.permit(r, &t, s.missing(ident))
}

// render is one on the wire.
func (s *resource[T, Q]) render(r *request, t *T, shown view[T, Q]) pairs {
	at := s.path + "/" + s.uuid(t)
	out := shown.render(t, 1)
	if s.older != nil {
		s.older(r, out)
	}
	shown.redact(r, out, s.holder(t))
	shown.link(r, at, out)
	if s.veil != nil {
		s.veil(t, out)
	}
	out.set("links", r.links(at))
	return out
}

// whole is all of one that the client's version knows.
func (s *resource[T, Q]) whole(r *request, t *T) pairs {
	return s.render(r, t, viewOf(r, s.fields, nil))
}

// columns are what a list reads: what is shown, and whose it is.
func (s *resource[T, Q]) columns(shown view[T, Q]) []string {
	if s.owner != nil {
		return shown.columns("uuid", "owner")
	}
	return shown.columns("uuid")
}

// event tells listeners what became of one.
func (s *resource[T, Q]) event(what string, t *T) ingot.Event {
	node, data := s.tell(t)
	return ingot.Event{Type: cmp.Or(s.topic, s.name) + "." + what, Node: node, Data: data}
}

// handleShow is GET of one.
func (s *resource[T, Q]) handleShow(r *request) (response, error) {
	a := r.args("fields")
	fields := fieldsOf(r, a, s.fields)
	if a.err != nil {
		return response{}, a.err
	}
	t, err := s.find(r)
	if err != nil {
		return response{}, err
	}
	return response{body: s.render(r, &t, viewOf(r, s.fields, fields))}, nil
}
