package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/ingot-metal/ingot"
)

// requestKey is where a request's own data travels in its context.
type requestKey struct{}

// front is what every request passes before the routes: request ID, paths, version, authentication.
type front struct {
	api    *API
	tables *tables
	mux    http.Handler
	open   bool // no authentication: the ramdisk's side
	peer   bool // for other processes of the service, which say on whose behalf they ask
}

// build makes a handler of the routes and of what stands beside /v1.
func (a *API) build(t *tables, routes []route, open bool) front {
	mux := chi.NewRouter()
	mux.Use(middleware.GetHead)
	if a.Registry != nil {
		if m, err := newMeter(a.Registry); err != nil {
			a.log().Error("cannot count requests", "error", err)
		} else {
			mux.Use(m.watch)
		}
	}
	mux.NotFound(adapt(route{rule: public, handle: notFound}))
	mux.MethodNotAllowed(adapt(route{rule: public, handle: methodNotAllowed}))
	mux.Get("/", adapt(route{rule: public, handle: showRoot}))
	for _, rt := range routes {
		path := rt.path
		if !probe(path) {
			path = "/v1" + path
		}
		mux.Method(rt.method, path, adapt(rt))
	}
	return front{api: a, tables: t, mux: mux, open: open}
}

func notFound(*request) (response, error) {
	return response{}, frameworkError{http.StatusNotFound, ""}
}

func methodNotAllowed(*request) (response, error) {
	return response{}, frameworkError{http.StatusMethodNotAllowed, ""}
}

// adapt makes a route's handler one of net/http's. It is the only way from a handler's answer to the client.
func adapt(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, hr *http.Request) {
		r, ok := hr.Context().Value(requestKey{}).(*request)
		if !ok {
			http.Error(w, "", http.StatusInternalServerError) // reached without front: a fault in build
			return
		}
		r.Request = hr
		r.rule = rt.rule
		answer := rt.handle
		if !r.since(rt.since) {
			r.rule, answer = public, rt.unknown
		}
		res, err := r.patiently(answer)
		status := max(res.status, http.StatusOK)
		if err != nil {
			status = statusOf(err)
		}
		r.audit(status)
		r.write(w, res, err)
	}
}

// guarded judges the route's rule, calls its handler and encodes its answer. A panic becomes an error, so that one request
// cannot take others down.
func (r *request) guarded(h handler) (res response, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	if err := r.judgeEarly(); err != nil {
		return response{}, err
	}
	if res, err = h(r); err != nil {
		return res, err
	}
	if err := r.judgedLast(); err != nil {
		return res, err
	}
	if res.body != nil {
		res.text, err = appendJSON(make([]byte, 0, usualAnswer), res.body)
	}
	return res, err
}

// ServeHTTP prepares the request and hands it to the routes.
func (f front) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, api: f.api, tables: f.tables, id: newRequestID(), minor: minMinor}
	if f.peer {
		if err := r.introduced(); err != nil {
			r.writeError(w, err)
			return
		}
	}
	w.Header().Set("Openstack-Request-Id", r.id)
	if probe(hr.URL.Path) {
		f.serve(w, r)
		return
	}
	setVersionRange(w.Header())
	minor, err := negotiate(hr.Header)
	if hr.URL.Path == "/" { // it is of no version: clients whose version is not spoken learn there which are
		err = nil
	}
	if err != nil {
		r.writeError(w, err)
		return
	}
	r.minor = minor
	w.Header().Set(versionHeader, versionText(minor))
	w.Header().Add("Vary", versionHeader)
	if r.since(107) {
		w.Header().Set("X-Openstack-Request-Id", r.id)
	}
	f.serve(w, r)
}

func (f front) serve(w http.ResponseWriter, r *request) {
	hr := r.canonical()
	if !f.open && !f.peer && !openPath(hr.URL.Path) {
		if err := r.identify(hr); err != nil {
			r.audit(statusOf(err))
			r.writeError(w, err)
			return
		}
	}
	ctx := ingot.WithIdentity(hr.Context(), r.who)
	f.mux.ServeHTTP(w, hr.WithContext(context.WithValue(ctx, requestKey{}, r)))
}

// identify finds out who asks.
func (r *request) identify(hr *http.Request) (err error) {
	r.who = ingot.Everybody()
	if r.api.Auth != nil {
		if r.who, err = r.api.Auth.Authenticate(hr); err != nil {
			return err
		}
	}
	r.held = heldBy(r.who, r.api.ElevatedProject)
	return nil
}

// probe says whether a path is one of those beside the API proper.
func probe(path string) bool {
	switch path {
	case "/healthz", "/livez", "/metrics", "/openapi.yaml", "/docs":
		return true
	}
	return false
}

// openPath says whether everybody may read a path: discovery and the probes, but not the figures.
func openPath(path string) bool {
	return path == "/" || path == "/v1" || probe(path) && path != "/metrics" || ramdiskPath(path)
}

func ramdiskPath(path string) bool {
	return path == "/v1/lookup" || path == "/v1/continue_inspection" || strings.HasPrefix(path, "/v1/heartbeat/") || strings.HasPrefix(path, "/v1/phone_home/")
}

// canonical is the request with the path that routes know: under /v1, which clients may leave out, without a slash at
// its end, and below 1.91 without ".json".
func (r *request) canonical() *http.Request {
	u := *r.URL
	path := strings.TrimRight(u.EscapedPath(), "/")
	if cut, ok := strings.CutSuffix(path, ".json"); ok && !r.since(91) {
		path, r.suffix = cut, true
	}
	if path != "" && path != "/v1" && !strings.HasPrefix(path, "/v1/") && !probe(path) {
		path = "/v1" + path
	}
	if path == "" {
		path = "/"
	}
	u.RawPath = path
	u.Path = path
	hr := *r.Request
	hr.URL = &u
	return &hr
}
