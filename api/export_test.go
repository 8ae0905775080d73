package api

import (
	"context"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Route is a row of the routes' table, for tests outside of the package.
type Route struct {
	Method, Path, Rule, Handler string
	Since                       int
}

// AllRoutes are the rows of an API's table; below /v1 where they are.
func AllRoutes(a *API) []Route {
	var routes []Route
	for _, rt := range a.userRoutes(newTables()) {
		path := rt.path
		if !probe(path) {
			path = "/v1" + path
		}
		routes = append(routes, Route{rt.method, path, rt.rule, handlerName(rt.handle), rt.since})
	}
	return routes
}

// Policy are the names of the rules, and which of them hold for every thing alike and are not of lists.
func Policy() map[string]bool {
	rules := map[string]bool{}
	all := newTables().rules
	for name, needs := range all {
		_, list := all[name+"_all"]
		rules[name] = !list && (needs|all[name+":self_owned_node"])&ofProject == 0
	}
	return rules
}

// FieldRules are the rules that rows of tables name.
func FieldRules() []string {
	var names []string
	for _, f := range nodeFields() {
		names = append(names, f.rule, f.see)
	}
	for _, f := range portFields() {
		names = append(names, f.rule, f.see)
	}
	return names
}

// Unjudged serves one route whose handler judges nothing.
func Unjudged(a *API, rule string) func() (int, error) {
	return func() (int, error) {
		r := &request{api: a, tables: newTables(), rule: rule, minor: maxMinor}
		r.Request = httptest.NewRequest("GET", "/v1", nil)
		r.held = heldBy(ingot.Everybody(), "")
		res, err := r.guarded(func(*request) (response, error) { return response{status: 200}, nil })
		return res.status, err
	}
}

func handlerName(h handler) string {
	name := runtime.FuncForPC(reflect.ValueOf(h).Pointer()).Name()
	return name[strings.LastIndex(name, ".")+1:]
}

// AppendJSON is the encoder of answers.
func AppendJSON(b []byte, v any) ([]byte, error) { return appendJSON(b, v) }

// Backlog is what a console said and was not sent yet.
type Backlog struct{ *backlog }

// NewBacklog makes one.
func NewBacklog() Backlog { return Backlog{newBacklog()} }

// Add, End and Next are the backlog's own.
func (b Backlog) Add(text []byte)                          { b.add(text) }
func (b Backlog) End()                                     { b.end() }
func (b Backlog) Next(ctx context.Context) ([]byte, error) { return b.next(ctx) }
