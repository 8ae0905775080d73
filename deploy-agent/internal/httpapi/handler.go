// Package httpapi is the agent's HTTP side: ironic-python-agent's command API (its api/app.py), path for path and body
// for body, so that Ironic's agent client cannot tell the two apart.
package httpapi

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
)

// MaxBody is the largest request body in bytes. The one thing that gets large is a config drive sent inline; a larger
// one is given as a URL.
const MaxBody = 24 << 20

// Engine is what the API drives.
type Engine interface {
	// Execute starts a command under the agent's own context; its error is an *ingot.AgentError.
	Execute(ctx context.Context, name string, params command.Params) (*command.Record, error)
	List() []ingot.AgentCommand
	Get(id string) (*command.Record, error)
}

// API answers requests on the agent's port.
type API struct {
	Engine Engine
	Log    *slog.Logger
	// Life is the context that commands run under.
	Life context.Context
	// Token gives the token that Ironic has to send; while it is "" every command is refused.
	Token func() string
	// OpenReads lets commands be listed without a token until a reader brings one: conductors before Ironic 29 (API 1.95)
	// send it with commands only.
	OpenReads bool
	// OpenDisk opens the node's root disk for a copy of it; its error is an *ingot.AgentError. nil: it is not given out.
	OpenDisk func(ctx context.Context, wish ingot.DiskWish) (Disk, error)
	// Status is the body of GET /v1/status.
	Status Status

	tokenRead atomic.Bool // somebody read with a token
}

// Status is what GET /v1/status tells: ironic-python-agent's two fields, and what Ingot's agent can do besides.
type Status struct {
	StartedAt float64 `json:"started_at"` // Unix seconds
	Version   string  `json:"version"`
	// Capabilities are "progress" (running commands say how far they are) and "disk" (the root disk can be read).
	Capabilities []string `json:"capabilities"`
}

// Handler routes requests. As in ironic-python-agent the version prefix may be left out, and a missing trailing slash
// redirects.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", a.only(http.MethodGet, a.root))
	mux.HandleFunc("/v1/{$}", a.only(http.MethodGet, a.v1))
	for _, prefix := range []string{"/v1", ""} {
		mux.HandleFunc(prefix+"/status", a.only(http.MethodGet, a.status))
		mux.HandleFunc(prefix+"/commands/{$}", a.commands)
		mux.HandleFunc(prefix+"/commands/{id}", a.only(http.MethodGet, a.reader(a.get)))
		mux.HandleFunc(prefix+"/commands", a.addSlash)
		if a.OpenDisk != nil {
			mux.HandleFunc(prefix+"/disk", a.only(http.MethodGet, a.authorized(a.disk)))
		}
	}
	mux.HandleFunc("/v1", a.addSlash)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fault(w, http.StatusNotFound, "404 Not Found: The requested URL was not found on the server. "+
			"If you entered the URL manually please check your spelling and try again.")
	})
	return mux
}

// handler answers a request, or gives an error to be answered.
type handler func(w http.ResponseWriter, r *http.Request)

func (a *API) only(method string, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			notAllowed(w, method)
			return
		}
		h(w, r)
	}
}

func notAllowed(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods)
	fault(w, http.StatusMethodNotAllowed, "405 Method Not Allowed: The method is not allowed for the requested URL.")
}

func (a *API) addSlash(w http.ResponseWriter, r *http.Request) {
	u := *r.URL
	u.Path += "/"
	http.Redirect(w, r, u.RequestURI(), http.StatusPermanentRedirect)
}

func (a *API) authorized(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) {
		want, got := a.Token(), r.URL.Query().Get("agent_token")
		if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(got)) != 1 {
			a.Log.Warn("refused a request without the right token", "from", r.RemoteAddr, "path", r.URL.Path)
			fault(w, http.StatusUnauthorized, "401 Unauthorized: Token invalid.")
			return
		}
		h(w, r)
	}
}

// reader is authorized for requests that only read.
func (a *API) reader(h handler) handler {
	checked := a.authorized(h)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("agent_token") {
			a.tokenRead.Store(true)
		}
		if a.OpenReads && !a.tokenRead.Load() && a.Token() != "" {
			h(w, r)
			return
		}
		checked(w, r)
	}
}

func (a *API) commands(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		a.reader(a.list)(w, r)
	case http.MethodPost:
		a.authorized(a.run)(w, r)
	default:
		notAllowed(w, "GET, HEAD, POST")
	}
}

func (a *API) status(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, a.Status) }

func (a *API) list(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, map[string]any{"commands": a.Engine.List()})
}

func (a *API) get(w http.ResponseWriter, r *http.Request) {
	record, err := a.Engine.Get(r.PathValue("id"))
	if err != nil {
		agentFault(w, err)
		return
	}
	a.answer(w, r, record)
}

func (a *API) run(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name   *string        `json:"name"`
		Params command.Params `json:"params"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody)).Decode(&body)
	var tooLarge *http.MaxBytesError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLarge):
		fault(w, http.StatusRequestEntityTooLarge, "413 Request Entity Too Large: the body is larger than 24 MiB; give the config drive as a URL.")
		return
	case err != nil && !errors.As(err, &wrongType):
		fault(w, http.StatusBadRequest, "400 Bad Request: Failed to decode JSON object: "+err.Error())
		return
	case err != nil, body.Name == nil, body.Params == nil:
		fault(w, http.StatusBadRequest, "400 Bad Request: Missing or invalid name or params")
		return
	}
	record, err := a.Engine.Execute(a.Life, *body.Name, body.Params)
	if err != nil {
		agentFault(w, err)
		return
	}
	a.answer(w, r, record)
}

// answer gives the record, at its end if the request asks to wait.
func (a *API) answer(w http.ResponseWriter, r *http.Request, record *command.Record) {
	if strings.EqualFold(r.URL.Query().Get("wait"), "true") {
		record.Wait(r.Context())
	}
	respond(w, http.StatusOK, record.Command())
}

// agentFault answers with one of the agent's own errors.
func agentFault(w http.ResponseWriter, err error) {
	var e *ingot.AgentError
	if !errors.As(err, &e) {
		fault(w, http.StatusInternalServerError, err.Error())
		return
	}
	fault(w, e.Code, command.Fault(e))
}

// fault is the error body that ironic-python-agent inherited from WSME.
func fault(w http.ResponseWriter, code int, text string) {
	who := "Client"
	if code >= http.StatusInternalServerError {
		who = "Server"
	}
	respond(w, code, map[string]string{"faultcode": who, "faultstring": text})
}

func respond(w http.ResponseWriter, code int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		code, text = http.StatusInternalServerError, []byte(`{"faultcode": "Server", "faultstring": "cannot put the answer into JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(text) // the client may have gone; there is nobody else to tell
}
