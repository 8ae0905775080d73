// Package ironic talks to Ironic's ramdisk endpoints as ironic-python-agent does: version discovery, lookup, heartbeat
// and the inspection callback. Any of them may be served by Ingot.
package ironic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The minor versions of Ironic's API 1.x that matter to an agent.
const (
	minorFallback     = 68 // spoken to an API whose version document is not understood: all since 2020 speak it
	minorAgentVersion = 36 // heartbeat takes agent_version
	minorToken        = 62 // tokens
	minorVerifyCA     = 68 // heartbeat takes agent_verify_ca; the highest that this agent speaks
	minorTokenReads   = 95 // conductors send the token with every request, not with commands only (Ironic 29)
)

// maxAnswer bounds what is read of any answer.
const maxAnswer = 4 << 20

// Client asks the API at the first of URLs that can be reached. It is safe for concurrent use.
type Client struct {
	URLs []string     // base URLs, without /v1
	HTTP *http.Client // its Timeout bounds each request

	mu    sync.Mutex
	first int // index of the URL that worked last
	minor int // 0 until discovery worked
}

// StatusError is an answer that is not the wanted one.
type StatusError struct {
	Method, URL string
	Code        int
	Text        string // faultstring, title or the body's beginning
}

// Error names request, status and reason.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s answered %d: %s", e.Method, e.URL, e.Code, e.Text)
}

// Conflict says whether err is an answer 409: somebody holds the node.
func Conflict(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Code == http.StatusConflict
}

// answer is what a request brought.
type answer struct {
	url    string
	code   int
	header http.Header
	body   []byte
}

// do sends the request to each URL in turn until one answers at all.
func (c *Client) do(ctx context.Context, method, path string, minor int, body []byte) (answer, error) {
	c.mu.Lock()
	first := c.first
	c.mu.Unlock()
	var failures []error
	for i := range c.URLs {
		at := (first + i) % len(c.URLs)
		a, err := send(ctx, c.HTTP, method, strings.TrimRight(c.URLs[at], "/")+path, minor, body)
		if err == nil {
			c.mu.Lock()
			c.first = at
			c.mu.Unlock()
			return a, nil
		}
		failures = append(failures, err)
	}
	if len(failures) == 0 {
		return answer{}, errors.New("cannot ask Ironic: no API URL is known; set ipa-api-url on the kernel command line")
	}
	return answer{}, errors.Join(failures...)
}

// send does one request; minor 0 sends no version.
func send(ctx context.Context, h *http.Client, method, to string, minor int, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("cannot make a request of %q: %w", to, err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	if minor > 0 {
		req.Header.Set("X-OpenStack-Ironic-API-Version", "1."+strconv.Itoa(minor))
	}
	resp, err := h.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("cannot reach %s: %w", shown(to), unwrapURL(err))
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("cannot read the answer of %s: %w", shown(to), err)
	}
	return answer{url: shown(to), code: resp.StatusCode, header: resp.Header, body: text}, nil
}

// shown is a URL without its query, for messages.
func shown(to string) string {
	before, _, _ := strings.Cut(to, "?")
	return before
}

// unwrapURL drops net/http's repetition of method and URL.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// refused is the error for an answer, with the reason out of Ironic's doubly encoded error body.
func refused(method string, a answer) error {
	return &StatusError{Method: method, URL: a.url, Code: a.code, Text: reason(a.body)}
}

func reason(body []byte) string {
	var outer struct {
		Message json.RawMessage `json:"error_message"`
	}
	type fault struct {
		Faultstring string `json:"faultstring"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	var f fault
	if json.Unmarshal(body, &outer) == nil && outer.Message != nil {
		var text string
		if json.Unmarshal(outer.Message, &text) == nil {
			outer.Message = json.RawMessage(text)
		}
		_ = json.Unmarshal(outer.Message, &f)
	} else {
		_ = json.Unmarshal(body, &f)
	}
	for _, text := range []string{f.Faultstring, f.Description, f.Title} {
		if text != "" {
			return text
		}
	}
	if len(body) > 200 {
		body = body[:200]
	}
	return strings.TrimSpace(string(body))
}

// date is the clock of whoever answered, zero when it sent none.
func date(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Discover asks for the API's version and remembers it. It gives the API's clock, zero when it sent none.
func (c *Client) Discover(ctx context.Context) (time.Time, error) {
	a, err := c.do(ctx, http.MethodGet, "/", 0, nil)
	if err != nil {
		return time.Time{}, err
	}
	at := date(a.header)
	if a.code != http.StatusOK {
		return at, refused(http.MethodGet, a)
	}
	var root struct {
		Default struct {
			Version string `json:"version"`
		} `json:"default_version"`
	}
	if err := json.Unmarshal(a.body, &root); err != nil {
		return at, fmt.Errorf("cannot understand the version document of %s: %w", a.url, err)
	}
	major, minor, _ := strings.Cut(root.Default.Version, ".")
	n, err := strconv.Atoi(minor)
	if err != nil || major != "1" || n <= 0 {
		return at, fmt.Errorf("cannot understand the version %q of %s: wanted 1.N", root.Default.Version, a.url)
	}
	c.mu.Lock()
	c.minor = n
	c.mu.Unlock()
	return at, nil
}

// SupportsTLS says whether the API takes the agent's certificate in a heartbeat (1.68), so that the agent can serve TLS.
func (c *Client) SupportsTLS() bool { return c.version(minorVerifyCA) >= minorVerifyCA }

// ReadsWithoutToken says whether the API is so old that its conductors read the commands without a token.
func (c *Client) ReadsWithoutToken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.minor != 0 && c.minor < minorTokenReads
}

// Base is the URL that answered last.
func (c *Client) Base() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.URLs) == 0 {
		return ""
	}
	return c.URLs[c.first]
}

// version is the API's minor version, at most the highest given.
func (c *Client) version(highest int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.minor == 0 {
		return minorFallback
	}
	return min(c.minor, highest)
}
