package vbmc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// redfishServer is the Redfish side of a [Server]: one system, chassis and
// manager, each with the ID 1. Entity tags are neither sent nor checked.
type redfishServer struct {
	server   *Server
	http     *http.Server
	mu       sync.Mutex
	closed   bool
	work     sync.WaitGroup // requests under way; grows under mu while not closed
	routes   map[string]map[string]route
	sessions tokens
	media    mediaState
	mode     bootMode
	firmware firmware
}

// answer is what a handler returns; body nil is 204.
type answer struct {
	status   int // 0 is 200, or 204 without a body
	body     any
	location string
	token    string
}

// route is one method of one path.
type route struct {
	privilege Privilege // 0: without login
	do        func(ctx context.Context, body []byte) (answer, error)
}

// object is a JSON object of a Redfish resource.
type object map[string]any

// maxBody is far above any request that has a meaning here.
const maxBody = 64 << 10

func newRedfishServer(s *Server) *redfishServer {
	r := &redfishServer{server: s, sessions: tokens{now: s.Now, limit: s.Sessions}}
	r.mode.legacy = s.device.LegacyBIOS
	r.firmware.values, r.firmware.light = factorySettings(), "Off"
	s.control.started = r.firmware.started
	r.routes = r.table()
	var protocols http.Protocols
	protocols.SetHTTP1(true) // HTTP/2 connections cannot be broken off for one request
	r.http = &http.Server{
		Handler: r, Protocols: &protocols, ReadHeaderTimeout: 30 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return r
}

// serve answers requests until close.
func (r *redfishServer) serve(ctx context.Context) error {
	r.http.BaseContext = func(net.Listener) context.Context { return ctx }
	defer r.work.Wait()
	var err error
	if r.server.TLS != nil {
		r.http.TLSConfig = r.server.TLS.Clone()
		err = r.http.ServeTLS(r.server.RedfishListener, "", "")
	} else {
		err = r.http.Serve(r.server.RedfishListener)
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve Redfish: %w", err)
	}
	return nil
}

// close breaks all connections off and ends serve.
func (r *redfishServer) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	if err := r.http.Close(); err != nil {
		r.server.Logger.Warn("cannot close Redfish listener", "error", err)
	}
}

// begin counts a request, unless the server is closing: a connection can bring
// one at the last moment.
func (r *redfishServer) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.work.Add(1)
	}
	return !r.closed
}

// ServeHTTP answers one request, as the faults allow.
func (r *redfishServer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if !r.begin() {
		hangUp(w)
		return
	}
	defer r.work.Done()
	ctx := request.Context()
	if r.server.Faults.dropped() {
		if r.server.Faults.Get().Deaf {
			// The server notices that the client left only when the body was read.
			_, _ = io.Copy(io.Discard, io.LimitReader(request.Body, maxBody))
			<-ctx.Done()
		}
		hangUp(w)
		return
	}
	c := &call{Entry: Entry{Protocol: ProtocolRedfish, Verb: request.Method, Argument: request.URL.Path, Remote: request.RemoteAddr}}
	result, err := r.contained(withCall(ctx, c), request)
	status, body := result.status, any(result.body)
	if err != nil {
		refusal := refusalOf(err)
		status, body = refusal.status, refusal.body()
		c.Outcome = fmt.Sprintf("%d %s", status, refusal.text)
	}
	if c.Outcome == "" {
		c.Outcome = OutcomeOK
	}
	c.ReplyLost = err == nil && c.changes && r.server.Faults.losesReply()
	c.Time = r.server.Now()
	r.server.journal(c.Entry)
	r.server.Faults.wait(ctx)
	if c.ReplyLost {
		hangUp(w)
		return
	}
	if result.location != "" {
		w.Header().Set("Location", result.location)
	}
	if result.token != "" {
		w.Header().Set("X-Auth-Token", result.token)
	}
	send(w, status, body)
}

// contained is handle, with whatever breaks in it turned into an error.
func (r *redfishServer) contained(ctx context.Context, request *http.Request) (result answer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.server.Logger.Error("Redfish request broke its handler", "path", request.URL.Path,
				"cause", cause, "stack", string(debug.Stack()))
			note(ctx, VerbPanic, request.URL.Path)
			result, err = answer{}, fmt.Errorf("contained: %v", cause)
		}
	}()
	return r.handle(ctx, request)
}

// handle finds the route, checks the login and runs the handler.
func (r *redfishServer) handle(ctx context.Context, request *http.Request) (answer, error) {
	path := strings.TrimSuffix(request.URL.Path, "/")
	method := request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	methods, ok := r.routes[path]
	if !ok {
		methods, ok = r.sessions.routes(path)
	}
	route, allowed := methods[method]
	var user User
	if !allowed || route.privilege > 0 {
		var err error
		if user, err = r.login(request); err != nil {
			return answer{}, err
		}
	}
	switch {
	case !ok:
		return answer{}, refuse(http.StatusNotFound, "ResourceMissingAtURI", "There is no resource at "+request.URL.Path+".")
	case !allowed:
		return answer{}, refuse(http.StatusMethodNotAllowed, "OperationNotAllowed", request.Method+" is not allowed on "+request.URL.Path+".")
	case user.Privilege < route.privilege:
		return answer{}, refuse(http.StatusForbidden, "InsufficientPrivilege", "User "+user.Name+" may not do this.")
	}
	c := callOf(ctx)
	c.User = user.Name
	upkeep := route.privilege == 0 || strings.HasPrefix(path, sessionsPath)
	if !upkeep && r.server.Faults.busy() {
		return answer{}, refuse(http.StatusServiceUnavailable, "ServiceTemporarilyUnavailable", "The service is busy.")
	}
	c.changes = !upkeep && method != http.MethodGet
	body, err := io.ReadAll(http.MaxBytesReader(nil, request.Body, maxBody))
	if err != nil {
		return answer{}, refuse(http.StatusRequestEntityTooLarge, "MalformedJSON", "The request's body is longer than 64 KiB or broken off.")
	}
	return route.do(ctx, body)
}

// send writes one answer.
func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("OData-Version", "4.0")
	w.Header().Set("Cache-Control", "no-cache")
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="Redfish"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	if body == nil {
		if status == 0 {
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
		return
	}
	if status == 0 {
		status = http.StatusOK
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; then there is nobody to tell.
	_ = json.NewEncoder(w).Encode(body)
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // not a real connection: a test's recorder
	}
	_ = connection.Close() // it is thrown away
}
