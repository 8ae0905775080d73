package serve_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/serve"
)

// TestOwnCertificate: the service makes its certificate once, says its fingerprint, and clients that pin it, or trust
// the file, get in; others do not.
func TestOwnCertificate(t *testing.T) {
	data := t.TempDir()
	cfg := devConfig(data)
	cfg.API.TLS = "self-signed"
	pins := map[string]bool{}
	for range 2 {
		t.Run("start", func(t *testing.T) {
			out := &lines{}
			app, err := serve.New(t.Context(), cfg, slog.New(slog.NewTextHandler(out, nil)))
			require.NoError(t, err)
			stop := running(t, app)
			defer stop()
			var pin string
			require.Eventually(t, func() bool {
				found := regexp.MustCompile(`fingerprint=([0-9a-f]{64})`).FindStringSubmatch(out.text())
				if found != nil {
					pin = found[1]
				}
				return found != nil
			}, waiting, tick, "no fingerprint in %s", out.text())
			pins[pin] = true
			url := "https://" + app.APIAddress()
			for name, trust := range map[string]client.Trust{"pin": {Fingerprint: pin}, "file": {CAFile: filepath.Join(data, "api-cert.pem")}} {
				browser, err := trust.HTTP()
				require.NoError(t, err)
				c := client.Client{BaseURL: url, HTTP: browser}
				_, err = c.Nodes(t.Context(), nil)
				require.NoError(t, err, name)
				browser.CloseIdleConnections()
			}
			for says, trust := range map[string]client.Trust{"another one is trusted": {Fingerprint: strings.Repeat("ab", 32)}, "unknown authority": {}} {
				browser, err := trust.HTTP()
				require.NoError(t, err)
				_, err = (&client.Client{BaseURL: url, HTTP: browser}).Nodes(t.Context(), nil)
				require.ErrorContains(t, err, says)
			}
		})
	}
	require.Len(t, pins, 1, "the certificate is made once")
	info, err := os.Stat(filepath.Join(data, "api-key.pem"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = client.Trust{Fingerprint: "abc"}.HTTP()
	require.ErrorContains(t, err, "not a SHA-256")
}

// TestAuditFile: who changed what is in the file, and no secret is.
func TestAuditFile(t *testing.T) {
	cfg := devConfig(t.TempDir())
	cfg.API.Auth, cfg.API.Users = "http_basic", filepath.Join(cfg.Data, "users")
	cfg.API.AuditLog = filepath.Join(cfg.Data, "audit.log")
	hash, err := bcrypt.GenerateFromPassword([]byte("sesame"), bcrypt.MinCost)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cfg.API.Users, []byte("root:"+string(hash)+"\nann:"+string(hash)+":roles=reader,project=p1\n"), 0o600))
	app := runWith(t, cfg)
	ask := func(method, path, user, password, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+app.APIAddress()+path, strings.NewReader(body))
		require.NoError(t, err)
		req.SetBasicAuth(user, password)
		req.Header.Set("X-OpenStack-Ironic-API-Version", "latest")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	require.Equal(t, 201, ask("POST", "/v1/nodes?", "root", "sesame", `{"driver": "fake-hardware", "name": "n1", "driver_info": {"fake_password": "hush"}, "owner": "p1"}`))
	require.Equal(t, 200, ask("GET", "/v1/nodes/n1", "root", "sesame", ""))
	require.Equal(t, 202, ask("PUT", "/v1/nodes/n1/maintenance?reason=hush", "root", "sesame", ""))
	require.Equal(t, 400, ask("PUT", "/v1/nodes/n1/states/power", "root", "sesame", "{}"))
	require.Equal(t, 403, ask("PUT", "/v1/nodes/n1/states/power", "ann", "sesame", `{"target": "power on"}`))
	require.Equal(t, 401, ask("PUT", "/v1/nodes/n1/states/power", "ann", "hush", "{}"))
	text, err := os.ReadFile(cfg.API.AuditLog)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hush")
	require.NotContains(t, string(text), "sesame")
	var seen []string
	for line := range strings.Lines(string(text)) {
		var l map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		require.Equal(t, "127.0.0.1", l["from"])
		require.Contains(t, l["request"], "req-")
		seen = append(seen, fmt.Sprint(l["user"], "@", l["project"], " ", l["method"], " ", l["path"], " ", l["outcome"], " ", l["status"], " ", len(l["node"].(string))))
	}
	require.Equal(t, []string{
		"root@ POST /v1/nodes done 201 36",
		"root@ PUT /v1/nodes/n1/maintenance accepted 202 36",
		"root@ PUT /v1/nodes/n1/states/power refused 400 2", // refused before the node was looked up
		"ann@p1 PUT /v1/nodes/n1/states/power denied 403 36",
		"@ PUT /v1/nodes/n1/states/power denied 401 0",
	}, seen)
	info, err := os.Stat(cfg.API.AuditLog)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// lines collects a log that is written and read at the same time.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
