package api

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/ingot-metal/ingot"
)

// The limits on request bodies, as Ironic's defaults: provision requests carry config drives, inspection data logs.
const (
	maxBody           = 1 << 20
	maxProvisionBody  = 64 << 20
	maxInspectionBody = 16 << 20
	maxDepth          = 25
)

// flatError is a refusal of a body before it was parsed: Ironic answers it without the double encoding.
type flatError struct{ err error }

func (e flatError) Error() string { return e.err.Error() }
func (e flatError) Unwrap() error { return e.err }

// readBody reads a request's body within its path's limits.
func readBody(r *http.Request) ([]byte, error) {
	limit := int64(maxBody)
	switch path := strings.TrimRight(r.URL.Path, "/"); {
	case strings.HasSuffix(path, "states/provision"):
		limit = maxProvisionBody
	case strings.HasSuffix(path, "continue_inspection"):
		limit = maxInspectionBody
	}
	tooLarge := flatError{ingot.Errorf(ingot.TooLarge, "Request body is too large. Please contact the service administrator.")}
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, ingot.Errorf(ingot.Invalid, "cannot read the request's body: %w", err)
	case !shallow(body):
		return nil, flatError{ingot.Errorf(ingot.Invalid, "Request body JSON is nested too deeply. Please contact the service administrator.")}
	}
	return body, nil
}

// shallow says whether the nesting of arrays and objects stays within maxDepth; it looks at brackets outside of strings
// only, so that it holds for text that is not JSON too.
func shallow(body []byte) bool {
	depth, inString, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}
