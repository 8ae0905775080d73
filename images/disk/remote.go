package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// remote is the file at a source's URL: what is known of it, and how to ask for parts of it.
type remote struct {
	src    Source
	client *http.Client
	stall  time.Duration // the longest silence of the server
	tries  int           // attempts in a row that bring nothing before giving up
	pause  time.Duration // before the second attempt; doubles up to 16 times that
	wait   func(ctx context.Context, d time.Duration) error

	mu         sync.Mutex // tables may be asked for while the stream runs
	size       int64      // of the file, -1 while not known
	validator  string     // strong ETag, or Last-Modified: for If-Range
	reconnects int
}

// known returns what the answers so far have told.
func (r *remote) known() (size int64, validator string, reconnects int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.size, r.validator, r.reconnects
}

// response is one answer, its body positioned at off of the file.
type response struct {
	body   io.ReadCloser
	off    int64
	stop   context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
	ctx    context.Context
	ranged bool
}

// Read reads the body; the watchdog runs only while it waits for the server, not while the disk is slow.
func (r *response) Read(p []byte) (int, error) {
	r.timer.Reset(r.stall)
	n, err := r.body.Read(p)
	r.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := context.Cause(r.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

func (r *response) Close() {
	r.timer.Stop()
	r.stop(context.Canceled)
	r.body.Close()
}

// get asks once for the bytes from off up to and excluding end (end < 0: all that follow).
func (r *remote) get(ctx context.Context, off, end int64) (*response, error) {
	ctx, stop := context.WithCancelCause(ctx)
	timer := time.AfterFunc(r.stall, func() { stop(ErrStalled) })
	fail := func(err error) (*response, error) {
		timer.Stop()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		stop(context.Canceled)
		return nil, err
	}
	req, err := r.request(ctx, off, end)
	if err != nil {
		return fail(err)
	}
	answer, err := r.client.Do(req)
	if err != nil {
		return fail(fmt.Errorf("cannot reach the image server: %w", err))
	}
	timer.Stop()
	out := &response{body: answer.Body, off: off, stop: stop, timer: timer, stall: r.stall, ctx: ctx}
	if err := r.judge(answer, out, off, end); err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

func (r *remote) request(ctx context.Context, off, end int64) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.src.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	for key, values := range r.src.Header {
		req.Header[key] = values
	}
	// The checksum is of the stored bytes: no transport compression on top.
	req.Header.Set("Accept-Encoding", "identity")
	switch {
	case end >= 0:
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, end-1))
	case off > 0:
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", off))
	}
	if _, validator, _ := r.known(); validator != "" && req.Header.Get("Range") != "" {
		req.Header.Set("If-Range", validator)
	}
	return req, nil
}

// judge looks at an answer's status and headers, and learns the file's size and validator from the first one.
func (r *remote) judge(answer *http.Response, out *response, off, end int64) error {
	size := answer.ContentLength
	switch code := answer.StatusCode; {
	case code == http.StatusPartialContent:
		from, total, err := contentRange(answer.Header.Get("Content-Range"))
		if err != nil || from != off {
			return fmt.Errorf("%w: it answered a request for offset %d with the range %q",
				ErrHTTP, off, answer.Header.Get("Content-Range"))
		}
		size, out.ranged = total, true
	case code == http.StatusOK:
		out.off = 0
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("%w: %s answers %s", ErrNotFound, r.src.redacted(), answer.Status)
	case code == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%w: %s has no byte %d any more", ErrChanged, r.src.redacted(), off)
	case code == http.StatusTooManyRequests, code >= 500:
		return &temporary{fmt.Errorf("%w: %s answers %s", ErrHTTP, r.src.redacted(), answer.Status)}
	default:
		return fmt.Errorf("%w: %s answers %s", ErrHTTP, r.src.redacted(), answer.Status)
	}
	return r.learn(size, validatorOf(answer.Header))
}

// learn keeps what the first answer tells and holds later ones against it.
func (r *remote) learn(size int64, validator string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size >= 0 && size >= 0 && size != r.size {
		return fmt.Errorf("%w: %s had %d bytes, now it has %d", ErrChanged, r.src.redacted(), r.size, size)
	}
	if r.validator != "" && validator != "" && validator != r.validator {
		return fmt.Errorf("%w: the version tag of %s was %s, now it is %s", ErrChanged, r.src.redacted(), r.validator, validator)
	}
	if r.size < 0 {
		r.size = size
	}
	if r.validator == "" {
		r.validator = validator
	}
	return nil
}

// validatorOf returns what If-Range accepts (RFC 9110 section 13.1.5): a strong entity tag, else the modification time.
func validatorOf(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// contentRange reads "bytes from-to/total" (RFC 9110 section 14.4); total is -1 when given as *.
func contentRange(text string) (from, total int64, err error) {
	span, all, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	first, _, ok2 := strings.Cut(span, "-")
	if !ok || !ok2 {
		return 0, 0, fmt.Errorf("%w: Content-Range %q", ErrHTTP, text)
	}
	if from, err = strconv.ParseInt(first, 10, 64); err != nil || from < 0 {
		return 0, 0, fmt.Errorf("%w: Content-Range %q", ErrHTTP, text)
	}
	if all == "*" {
		return from, -1, nil
	}
	if total, err = strconv.ParseInt(all, 10, 64); err != nil || total < 0 {
		return 0, 0, fmt.Errorf("%w: Content-Range %q", ErrHTTP, text)
	}
	return from, total, nil
}

// temporary marks an error that another attempt may cure.
type temporary struct{ error }

func (t *temporary) Unwrap() error { return t.error }

// curable tells whether an attempt's error may go away: broken connections and silence may, the server's word does not.
func curable(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var t *temporary
	if errors.As(err, &t) {
		return true
	}
	for _, final := range []error{ErrSource, ErrNotFound, ErrHTTP, ErrChanged, ErrNoRanges} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}

// backoff waits before attempt number try (from 1) is repeated.
func (r *remote) backoff(ctx context.Context, try int) error {
	r.mu.Lock()
	r.reconnects++
	r.mu.Unlock()
	return r.wait(ctx, r.pause<<min(try-1, 4))
}
