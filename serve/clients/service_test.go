// Package clients_test drives the whole service over HTTP, as `ingot serve --dev` runs it, with the clients that people
// have: what a client of Ironic finds must be what it finds in Ironic.
package clients_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/serve"
)

// How long is waited for what has to come, and how often it is looked for.
const (
	patience = time.Minute
	tick     = 5 * time.Millisecond
)

type object = map[string]any

// service is one that runs until its test ends.
type service struct {
	*serve.App
	URL  string
	Data string
}

// start runs a service with fake hardware that is quick, changed as a test needs it.
func start(t testing.TB, change ...func(*serve.Config)) *service {
	t.Helper()
	cfg := serve.Config{
		Data: t.TempDir(), Dev: true, API: serve.API{Listen: "127.0.0.1:0"}, Boot: serve.Boot{Listen: "127.0.0.1:0"},
		Fake: serve.Fake{Boot: serve.Delay{Earliest: time.Millisecond}, Command: serve.Delay{Earliest: time.Millisecond}},
	}
	for _, f := range change {
		f(&cfg)
	}
	s := run(t, cfg)
	require.Eventually(t, func() bool {
		list, _ := s.must(t, 200, "GET", "/v1/conductors", nil).body["conductors"].([]any)
		return len(list) == 1
	}, patience, tick, "the conductor has not reported")
	return s
}

// run runs a service as it is configured until its test ends.
func run(t testing.TB, cfg serve.Config) *service {
	t.Helper()
	app, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return &service{App: app, URL: "http://" + app.APIAddress(), Data: cfg.Data}
}

// answer is what the service said.
type answer struct {
	*http.Response
	text string
	body object
}

// fault is the sentence of an error, out of its double encoding.
func (a answer) fault() string {
	inner := object{}
	text, _ := a.body["error_message"].(string)
	if text == "" {
		inner = a.body
	} else if json.Unmarshal([]byte(text), &inner) != nil {
		return "not JSON: " + text
	}
	for _, key := range []string{"faultstring", "description"} {
		if s, ok := inner[key].(string); ok {
			return s
		}
	}
	return ""
}

// call asks the service in a microversion. A body that is text goes as it is, another one as JSON.
func (s *service) call(t testing.TB, method, path, version string, body any) answer {
	t.Helper()
	var in io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		require.NoError(t, err)
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, in)
	require.NoError(t, err)
	req.Header.Set("X-OpenStack-Ironic-API-Version", version)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	a := answer{Response: res, text: string(text)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(text, &a.body) // a list leaves it empty
	}
	return a
}

// must is call in the newest version, for an answer that has to have the status.
func (s *service) must(t testing.TB, status int, method, path string, body any) answer {
	t.Helper()
	a := s.call(t, method, path, "1.115", body)
	require.Equal(t, status, a.StatusCode, "%s %s: %s", method, path, a.text)
	return a
}

// node puts a node of fake hardware into the store, in any state: some cannot be kept over HTTP.
func (s *service) node(t testing.TB, n *ingot.Node) {
	t.Helper()
	n.Driver = "fake-hardware"
	for _, kind := range ingot.InterfaceKinds() {
		*n.Interfaces.Field(kind) = "fake"
	}
	n.Interfaces.Network, n.Interfaces.Storage = "noop", "noop"
	require.NoError(t, s.Store.CreateNode(t.Context(), n, nil))
}

// uuid is a UUID of the test's own.
func uuid(n int) string {
	return "6d0c1a52-5e4f-4c7a-9a35-0d8f6f6c" + string([]byte{'0', byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)})
}

// image is instance_info of a disk image that the service can serve.
func (s *service) image(t testing.TB) object {
	t.Helper()
	folder := filepath.Join(s.Data, "images")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	file, empty := filepath.Join(folder, "empty.raw"), make([]byte, 1<<20)
	require.NoError(t, os.WriteFile(file, empty, 0o600))
	return object{"image_source": "file://" + file, "image_checksum": fmt.Sprintf("%x", sha256.Sum256(empty))}
}
