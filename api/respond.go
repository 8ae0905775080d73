package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/ingot-metal/ingot"
)

// response is what a handler answers.
type response struct {
	status   int    // 0 is 200
	body     any    // nil is no body
	text     []byte // body as JSON, once it is encoded
	location string // path below /v1 for the Location header; "" sends none
	stream   func(http.ResponseWriter)
}

// usualAnswer is as long as most answers are at most, in bytes: a whole node is some 3,500.
const usualAnswer = 4 << 10

// frameworkError is a failure that Ironic's web framework reports in a shape of its own: unknown paths, methods,
// versions and malformed identifiers.
type frameworkError struct {
	status      int
	description string
}

func (e frameworkError) Error() string { return e.description }

// statusOf is the one place that knows which HTTP status a failure has.
func statusOf(err error) int {
	var framework frameworkError
	if errors.As(err, &framework) {
		return framework.status
	}
	switch ingot.CodeOf(err) {
	case ingot.Invalid, ingot.Unsupported:
		return http.StatusBadRequest
	case ingot.Unauthorized:
		return http.StatusUnauthorized
	case ingot.Forbidden:
		return http.StatusForbidden
	case ingot.NotFound:
		return http.StatusNotFound
	case ingot.NotAcceptable:
		return http.StatusNotAcceptable
	case ingot.Conflict, ingot.Locked, ingot.Fenced:
		return http.StatusConflict
	case ingot.TooLarge:
		return http.StatusRequestEntityTooLarge
	case ingot.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fault is the inner document of an error from Ironic's own code.
type fault struct {
	Code   string  `json:"faultcode"`
	String string  `json:"faultstring"`
	Debug  *string `json:"debuginfo"`
}

// errorBody is Ironic's: a JSON document in a string in a JSON document, which clients rely on.
func errorBody(err error, requestID string) any {
	var framework frameworkError
	if errors.As(err, &framework) {
		return wrapped(map[string]any{
			"code": framework.status, "title": http.StatusText(framework.status), "description": framework.description,
		})
	}
	var flat flatError
	if errors.As(err, &flat) {
		return map[string]string{"faultcode": "Client", "faultstring": flat.Error()}
	}
	f := fault{Code: "Client", String: err.Error()}
	if statusOf(err) >= 500 {
		f.Code = "Server"
	}
	var known *ingot.Error
	if !errors.As(err, &known) {
		f.String = "cannot answer: internal error, see " + requestID + " in the service's log"
	}
	return wrapped(f)
}

func wrapped(inner any) any {
	text, err := json.Marshal(inner)
	if err != nil {
		text = []byte("{}")
	}
	return map[string]string{"error_message": string(text)}
}

// write sends a handler's answer or its error. It is the only writer of bodies.
func (r *request) write(w http.ResponseWriter, res response, err error) {
	if err != nil {
		r.writeError(w, err)
		return
	}
	if res.location != "" {
		w.Header().Set("Location", r.link(res.location))
	}
	if res.stream != nil {
		res.stream(w)
		return
	}
	r.writeText(w, max(res.status, http.StatusOK), res.text)
}

func (r *request) writeError(w http.ResponseWriter, err error) {
	status := statusOf(err)
	if status >= 500 {
		r.api.log().ErrorContext(r.Context(), "request failed", "request", r.id, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if status == http.StatusUnauthorized {
		r.writeChallenge(w)
		return
	}
	if status == http.StatusServiceUnavailable {
		retryAfter(w.Header(), err)
	}
	r.writeJSON(w, status, errorBody(err, r.id))
}

// writeJSON sends what is made of text and numbers, and so can be encoded.
func (r *request) writeJSON(w http.ResponseWriter, status int, body any) {
	text, _ := appendJSON(nil, body)
	r.writeText(w, status, text)
}

// writeText sends JSON; nil is no body.
func (r *request) writeText(w http.ResponseWriter, status int, text []byte) {
	if text == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone away needs no answer
}
