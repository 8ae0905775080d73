package ironic_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/ironic"
)

const token = "0123456789abcdef0123456789abcdef0123456789a"

// api is an API that answers what the test tells it and remembers what it was asked.
type api struct {
	mu      sync.Mutex
	answers map[string][]reply // by "METHOD path", the last one repeated
	asked   []request
}

type reply struct {
	code int
	body string
}

type request struct {
	what, query, version, body string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	what := r.Method + " " + r.URL.Path
	a.asked = append(a.asked, request{what, r.URL.RawQuery, r.Header.Get("X-OpenStack-Ironic-API-Version"), string(body)})
	list := a.answers[what]
	if len(list) == 0 {
		http.NotFound(w, r)
		return
	}
	if len(list) > 1 {
		a.answers[what] = list[1:]
	}
	w.WriteHeader(list[0].code)
	_, _ = io.WriteString(w, list[0].body)
}

func (a *api) requests() []request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]request(nil), a.asked...)
}

func start(t *testing.T, answers map[string][]reply) (*api, *ironic.Client) {
	t.Helper()
	a := &api{answers: answers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return a, &ironic.Client{URLs: []string{"http://127.0.0.1:1", server.URL + "/"}, HTTP: server.Client()}
}

const root = `{"default_version":{"id":"v1","version":"1.82","min_version":"1.1"}}`

func TestLookupAndHeartbeat(t *testing.T) {
	a, c := start(t, map[string][]reply{
		"GET /":                   {{200, root}},
		"GET /v1/lookup":          {{200, `{"node":{"uuid":"u1","properties":{"root_device":{"size":"10"}}},"config":{"heartbeat_timeout":300,"agent_token":"` + token + `"}}`}},
		"POST /v1/heartbeat/u1":   {{202, ""}},
		"POST /v1/heartbeat/full": {{409, `{"error_message":"{\"faultcode\":\"Client\",\"faultstring\":\"Node u1 is locked by host x\",\"debuginfo\":null}"}`}},
	})
	ctx := context.Background()
	_, err := c.Discover(ctx)
	require.NoError(t, err)
	require.True(t, c.SupportsTLS())
	found, err := c.Lookup(ctx, []string{"52:54:00:00:00:01", "52:54:00:00:00:02"}, "", "")
	require.NoError(t, err)
	require.Equal(t, "u1", found.UUID)
	require.Equal(t, 300*time.Second, found.HeartbeatTimeout)
	require.Equal(t, token, found.Token.Reveal())
	require.NoError(t, c.Heartbeat(ctx, ironic.Beat{UUID: "u1", CallbackURL: "https://10.0.0.2:9999", Version: "12.0.0", Token: found.Token, CA: "PEM"}))
	err = c.Heartbeat(ctx, ironic.Beat{UUID: "full", CallbackURL: "https://10.0.0.2:9999"})
	require.True(t, ironic.Conflict(err))
	require.ErrorContains(t, err, "answered 409: Node u1 is locked by host x")

	asked := a.requests()
	require.Equal(t, request{"GET /v1/lookup", "addresses=52%3A54%3A00%3A00%3A00%3A01%2C52%3A54%3A00%3A00%3A00%3A02", "1.62", ""}, asked[1])
	require.Equal(t, "1.68", asked[2].version)
	require.JSONEq(t, `{"callback_url":"https://10.0.0.2:9999","agent_token":"`+token+`","agent_version":"12.0.0","agent_verify_ca":"PEM"}`, asked[2].body)
}

func TestOldAPIGetsNoNewFields(t *testing.T) {
	a, c := start(t, map[string][]reply{
		"GET /":                 {{200, `{"default_version":{"version":"1.40"}}`}},
		"POST /v1/heartbeat/u1": {{202, ""}},
	})
	_, err := c.Discover(context.Background())
	require.NoError(t, err)
	require.False(t, c.SupportsTLS())
	require.NoError(t, c.Heartbeat(context.Background(), ironic.Beat{UUID: "u1", CallbackURL: "http://x", Version: "12.0.0", Token: token, CA: "PEM"}))
	last := a.requests()[1]
	require.Equal(t, "1.40", last.version)
	require.JSONEq(t, `{"callback_url":"http://x","agent_version":"12.0.0"}`, last.body)
}

func TestLookupRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		code int
		own  ingot.Secret
		want string
	}{
		"not found":    {body: `{"error_message":"{\"faultstring\":\"Resource could not be found.\"}"}`, code: 404, want: "answered 404: Resource could not be found."},
		"told already": {body: `{"node":{"uuid":"u"},"config":{"heartbeat_timeout":1,"agent_token":"******"}}`, code: 200, want: "given out before"},
		"short":        {body: `{"node":{"uuid":"u"},"config":{"heartbeat_timeout":1,"agent_token":"abc"}}`, code: 200, want: "fewer than 32"},
		"no node":      {body: `{"config":{"heartbeat_timeout":1}}`, code: 200, want: "names no node"},
		"no timeout":   {body: `{"node":{"uuid":"u"}}`, code: 200, want: "no heartbeat_timeout"},
		"no JSON":      {body: `<html>`, code: 200, want: "cannot understand"},
		"proxy":        {body: `<html>bad gateway`, code: 502, want: "answered 502: <html>bad gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := start(t, map[string][]reply{"GET /v1/lookup": {{c.code, c.body}}})
			_, err := client.Lookup(context.Background(), []string{"m"}, "", c.own)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, client := start(t, map[string][]reply{"GET /v1/lookup": {{200, `{"node":{"uuid":"u"},"config":{"heartbeat_timeout":1,"agent_token":"******"}}`}}})
	found, err := client.Lookup(context.Background(), []string{"m"}, "", token)
	require.NoError(t, err, "a token held already is as good")
	require.Equal(t, token, found.Token.Reveal())
}

// hurry is a clock on which every wait is over at once, and remembered.
type hurry struct {
	mu    sync.Mutex
	waits []time.Duration
}

func (*hurry) Now() time.Time { return time.Unix(0, 0) }

func (h *hurry) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	h.waits = append(h.waits, d)
	h.mu.Unlock()
	c := make(chan time.Time, 1)
	c <- time.Unix(0, 0)
	return c
}

func TestHeartRetriesQuickly(t *testing.T) {
	locked := reply{409, `{}`}
	a, c := start(t, map[string][]reply{"POST /v1/heartbeat/u1": {{202, ""}, locked, locked, {202, ""}}})
	clock := &hurry{}
	heart := &ironic.Heart{
		Client: c, Clock: clock, Log: slog.New(slog.DiscardHandler), Timeout: 100 * time.Second,
		Beat: ironic.Beat{UUID: "u1"}, Now: make(chan struct{}, 1),
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- heart.Run(ctx) }()
	require.Eventually(t, func() bool { return len(a.requests()) >= 5 }, 10*time.Second, time.Millisecond)
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
	heart.Soon()
	heart.Soon() // never blocks

	clock.mu.Lock()
	defer clock.mu.Unlock()
	ordinary := clock.waits[0] + clock.waits[1]
	require.GreaterOrEqual(t, ordinary, 30*time.Second)
	require.LessOrEqual(t, ordinary, 60*time.Second)
	first, second := clock.waits[2]+clock.waits[3], clock.waits[4]+clock.waits[5]
	require.LessOrEqual(t, first, 2*time.Second, "a locked node is tried again soon")
	require.LessOrEqual(t, second, 3*time.Second)
}

func TestInspect(t *testing.T) {
	a := &api{answers: map[string][]reply{"POST /v1/continue_inspection": {{202, `{"uuid":"u1"}`}}}}
	server := httptest.NewServer(a)
	defer server.Close()
	data := ironic.Inspection{Inventory: ingot.Inventory{Interfaces: []ingot.InventoryInterface{{Name: "eth0", MAC: "52:54:00:00:00:01"}}}, BootInterface: "01-52-54-00-00-00-01"}
	uuid, err := ironic.Inspect(context.Background(), server.Client(), []string{"http://127.0.0.1:1/x", server.URL + "/v1/continue_inspection"}, data)
	require.NoError(t, err)
	require.Equal(t, "u1", uuid)
	var sent map[string]any
	require.NoError(t, json.NewDecoder(strings.NewReader(a.requests()[0].body)).Decode(&sent))
	require.Contains(t, sent, "inventory")
	require.Nil(t, sent["error"])
	require.Empty(t, a.requests()[0].version, "as ironic-python-agent, whose callback may be no Ironic")
}
