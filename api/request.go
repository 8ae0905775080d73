package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// request is what a handler is given.
type request struct {
	*http.Request
	api    *API
	tables *tables
	id     string // openstack-request-id
	base   string // of links, once it was asked for
	minor  int    // the negotiated microversion
	who    ingot.Identity
	held   held   // what who may do
	rule   string // the route's
	judged bool   // the rule was looked at
	about  string // the node that it is about, for the audit
	passed bool   // another process passed it on, and writes the audit
	suffix bool   // ".json" was cut off the path, as Ironic does below 1.91
	asked  bool   // a handler has looked at the parameters
}

// handler answers a request or says why not; it never writes.
type handler func(r *request) (response, error)

// since says whether the client speaks the minor version or a later one.
func (r *request) since(minor int) bool { return r.minor >= minor }

// errNotAcceptable is Ironic's refusal of what the negotiated version does not know.
func errNotAcceptable() error { return ingot.Errorf(ingot.NotAcceptable, "Request not acceptable.") }

// errNeedsVersion names the version that would do.
func errNeedsVersion(minor int) error {
	return ingot.Errorf(ingot.NotAcceptable, "Request not acceptable. The minimal required API version should be %s", versionText(minor))
}

// param is a part of the path, decoded.
func (r *request) param(name string) string {
	raw := chi.URLParam(r.Request, name)
	text, err := url.PathUnescape(raw)
	if err != nil {
		return raw
	}
	return text
}

// publicURL is the base of links.
func (r *request) publicURL() string {
	if r.base == "" {
		r.base = r.api.PublicURL
	}
	if r.base == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		r.base = scheme + "://" + r.Host
	}
	return r.base
}

// link is the URL of a path below /v1.
func (r *request) link(path string) string { return r.publicURL() + "/v1/" + path }

// links are a resource's self and bookmark: the URLs of the path with and without /v1.
type links struct{ base, path string }

func (r *request) links(path string) links { return links{r.publicURL(), path} }

// from is the address of the client.
func (r *request) from() string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// json decodes the body; an empty one is an empty object, as in Ironic.
func (r *request) json() (any, error) {
	if err := r.bare(); err != nil {
		return nil, err
	}
	body, err := readBody(r.Request)
	if err != nil {
		return nil, err
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return map[string]any{}, nil
	}
	v, err := decode(body)
	if err != nil {
		return nil, ingot.Errorf(ingot.Invalid, "cannot read the request's body as JSON: %w", err)
	}
	return v, nil
}

// decode reads one JSON value. Numbers are float64, save whole ones that a float64 would change: those stay json.Number.
func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF { //nolint:errorlint // Token gives it as it is
		return nil, errors.New("there is something after the JSON value")
	}
	return numbers(v)
}

func numbers(v any) (_ any, err error) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("number %s is out of range", v)
		}
		if i, err := v.Int64(); err == nil && (i > 1<<53 || i < -1<<53) {
			return v, nil
		}
		return f, nil
	case map[string]any:
		for key, item := range v {
			if v[key], err = numbers(item); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, item := range v {
			if v[i], err = numbers(item); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// The forms of names: RFC 3986's unreserved characters since 1.10, and host names before.
var (
	namePattern     = regexp.MustCompile(`^[a-zA-Z0-9\-._~]+$`)
	hostnamePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?(\.[a-z0-9\-]{0,61}[a-z0-9])*$`)
)

// validName says whether text can be a name of the client's version.
func (r *request) validName(text string) bool {
	if len(text) > 255 {
		return false
	}
	if r.since(10) {
		return namePattern.MatchString(text)
	}
	return hostnamePattern.MatchString(text)
}

// canonicalUUID is the text in lower case with hyphens; false when it is no UUID.
func canonicalUUID(text string) (string, bool) {
	id, err := uuid.Parse(text)
	if err != nil {
		return "", false
	}
	return id.String(), true
}

// ident reads a path's UUID or name, which names a thing of the sort.
func (r *request) ident(name, sort string) (string, error) {
	if err := r.bare(); err != nil {
		return "", err
	}
	text := r.param(name)
	if id, ok := canonicalUUID(text); ok {
		return id, nil
	}
	if len(text) > 255 || !namePattern.MatchString(text) {
		return "", frameworkError{http.StatusBadRequest, "Expected UUID or name for " + sort + ": " + text}
	}
	return text, nil
}
