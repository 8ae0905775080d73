package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// Patience is how long the API keeps a client waiting before it says no. The zero value says it at once.
type Patience struct {
	// Answer bounds one request, however long the database or a BMC takes; 0 is no bound.
	Answer time.Duration
	// LockedTries is how often a change of a node that something works on is tried, and LockedWait how long lies between
	// (Ironic: node_locked_retry_attempts 3, node_locked_retry_interval 1).
	LockedTries int
	LockedWait  time.Duration
}

// mostWait bounds what a client can ask to wait for a node.
const mostWait = time.Minute

// patiently has the handler answer, within the time that an answer may take, and again while something works on the node.
func (r *request) patiently(h handler) (response, error) {
	whole, said := r.Request, &bytes.Buffer{}
	defer func() { r.Request = whole }() // a stream has no bound
	tries, every, asked := r.tries()
	bounded := whole.Context()
	if limit := r.api.Patience.Answer; limit > 0 {
		ctx, cancel := context.WithTimeout(bounded, limit+asked)
		defer cancel()
		bounded = ctx
	}
	for try := 1; ; try++ {
		r.Request = whole.WithContext(bounded)
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(said.Bytes()), io.TeeReader(whole.Body, said)))
		res, err := r.guarded(h)
		switch {
		case errors.Is(err, context.Canceled) && whole.Context().Err() != nil: // or nobody reads the answer
			return res, ingot.Errorf(ingot.Unavailable, "cannot answer: the service is being stopped. Ask again: %w", err)
		case err != nil && bounded.Err() != nil && whole.Context().Err() == nil:
			return res, ingot.Errorf(ingot.Unavailable, "cannot answer within %v: %w", r.api.Patience.Answer+asked, err)
		case ingot.CodeOf(err) != ingot.Locked || try >= tries || !r.api.Clock.wait(bounded, every):
			return res, err
		}
	}
}

// tries is how often a request is tried that meets a live operation, and the time in between. A client may ask for more
// than the service's own patience, or for less (Prefer: wait=SECONDS, RFC 7240; respond-async may stand beside it).
func (r *request) tries() (tries int, every, asked time.Duration) {
	tries, every = max(r.api.Patience.LockedTries, 1), r.api.Patience.LockedWait
	for _, preference := range strings.FieldsFunc(strings.Join(r.Header.Values("Prefer"), ","), func(c rune) bool { return c == ',' || c == ';' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		seconds, err := strconv.Atoi(strings.Trim(value, `"`))
		if strings.EqualFold(name, "wait") && err == nil && seconds >= 0 {
			asked = min(time.Duration(seconds)*time.Second, mostWait)
			if every <= 0 {
				every = time.Second
			}
			return int(asked/every) + 1, every, asked
		}
	}
	return tries, every, 0
}

// retryAfter tells when to try again what fails for now (RFC 9110, section 10.2.3), in whole seconds.
func retryAfter(h http.Header, err error) {
	seconds := 2
	var known *ingot.Error
	if errors.As(err, &known) && known.After > 0 {
		seconds = int(math.Ceil(known.After.Seconds()))
	}
	h.Set("Retry-After", strconv.Itoa(seconds))
}
