package httpapi_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/httpapi"
)

const token = "0123456789abcdef0123456789abcdef0123456789a"

func handler(t testing.TB) http.Handler {
	t.Helper()
	engine := &command.Engine{Log: slog.New(slog.DiscardHandler)}
	gate := make(chan struct{})
	t.Cleanup(func() { close(gate) })
	engine.Add(
		command.Command{Name: "test.echo", Takes: []string{"text"}, Run: func(_ context.Context, c *command.Call) (any, error) {
			text := "nothing"
			err := c.Decode("text", &text)
			return text, err
		}},
		command.Command{Name: "test.fails", Run: func(context.Context, *command.Call) (any, error) { return nil, errors.New("no") }},
		command.Command{Name: "test.hangs", Async: true, Run: func(context.Context, *command.Call) (any, error) { <-gate; return nil, nil }},
	)
	api := &httpapi.API{
		Engine: engine, Log: slog.New(slog.DiscardHandler), Life: context.Background(), Token: func() string { return token },
		Status: httpapi.Status{StartedAt: 1700000000.5, Version: "12.0.0", Capabilities: []string{"progress"}},
	}
	return api.Handler()
}

// The bodies are those of ironic-python-agent 12.0.0, with Ingot's additions.
func TestAnswers(t *testing.T) {
	h := handler(t)
	for _, c := range []struct {
		name, method, target, body string
		code                       int
		want                       string // JSON; "" is not looked at
	}{
		{"root", "GET", "/", "", 200, `{"name":"OpenStack Ironic Python Agent API","description":"Ironic Python Agent is a provisioning agent for OpenStack Ironic",
			"versions":[{"id":"v1","links":[{"href":"http://agent:9999/v1","rel":"self"},{"href":"https://docs.openstack.org/ironic-python-agent/","rel":"describedby","type":"text/html"}]}],
			"default_version":{"id":"v1","links":[{"href":"http://agent:9999/v1","rel":"self"},{"href":"https://docs.openstack.org/ironic-python-agent/","rel":"describedby","type":"text/html"}]}}`},
		{"v1", "GET", "/v1/", "", 200, `{"id":"v1",
			"links":[{"href":"http://agent:9999/v1","rel":"self"},{"href":"https://docs.openstack.org/ironic-python-agent/","rel":"describedby","type":"text/html"}],
			"commands":[{"href":"http://agent:9999/v1/commands","rel":"self"},{"href":"http://agent:9999/commands","rel":"bookmark"}],
			"status":[{"href":"http://agent:9999/v1/status","rel":"self"},{"href":"http://agent:9999/status","rel":"bookmark"}],
			"media_types":[{"base":"application/json","type":"application/vnd.openstack.ironic-python-agent.v1+json"}]}`},
		{"status", "GET", "/v1/status", "", 200, `{"started_at":1700000000.5,"version":"12.0.0","capabilities":["progress"]}`},
		{"status without version", "GET", "/status", "", 200, ""},
		{"no token", "GET", "/v1/commands/", "", 401, `{"faultcode":"Client","faultstring":"401 Unauthorized: Token invalid."}`},
		{"wrong token", "POST", "/v1/commands/?agent_token=x", `{}`, 401, `{"faultcode":"Client","faultstring":"401 Unauthorized: Token invalid."}`},
		{"empty list", "GET", "/v1/commands/?agent_token=" + token, "", 200, `{"commands":[]}`},
		{"no such command", "GET", "/v1/commands/x?agent_token=" + token, "", 404, `{"faultcode":"Client","faultstring":"Not found: Command Result with id x not found."}`},
		{"no JSON", "POST", "/v1/commands/?agent_token=" + token, `{`, 400, `{"faultcode":"Client","faultstring":"400 Bad Request: Failed to decode JSON object: unexpected EOF"}`},
		{"no params", "POST", "/v1/commands/?agent_token=" + token, `{"name":"test.echo"}`, 400, `{"faultcode":"Client","faultstring":"400 Bad Request: Missing or invalid name or params"}`},
		{"params a list", "POST", "/v1/commands/?agent_token=" + token, `{"name":"test.echo","params":[]}`, 400, `{"faultcode":"Client","faultstring":"400 Bad Request: Missing or invalid name or params"}`},
		{"a list", "POST", "/commands/?agent_token=" + token, `[]`, 400, `{"faultcode":"Client","faultstring":"400 Bad Request: Missing or invalid name or params"}`},
		{"bad parameter", "POST", "/v1/commands/?agent_token=" + token, `{"name":"test.echo","params":{"text":1}}`, 400, ""},
		{"failing", "POST", "/v1/commands/?agent_token=" + token, `{"name":"test.fails","params":{}}`, 200, ""},
		{"404", "GET", "/v2/", "", 404, `{"faultcode":"Client","faultstring":"404 Not Found: The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."}`},
		{"405", "DELETE", "/v1/commands/", "", 405, `{"faultcode":"Client","faultstring":"405 Method Not Allowed: The method is not allowed for the requested URL."}`},
		{"slash", "POST", "/v1/commands?agent_token=x", "{}", 308, ""},
		{"too large", "POST", "/v1/commands/?agent_token=" + token, `{"name":"` + strings.Repeat("x", httpapi.MaxBody) + `"}`, 413, ""},
		{"hanging", "POST", "/v1/commands/?wait=false&agent_token=" + token, `{"name":"test.hangs","params":{}}`, 200, ""},
		{"busy", "POST", "/v1/commands/?wait=true&agent_token=" + token, `{"name":"test.echo","params":{}}`, 409, `{"faultcode":"Client","faultstring":"Agent is busy: executing command hangs"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "http://agent:9999"+c.target, strings.NewReader(c.body))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, c.code, w.Code, w.Body.String())
			if c.want != "" {
				require.JSONEq(t, c.want, w.Body.String())
				require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestNoTokenYetRefusesEveryone(t *testing.T) {
	api := &httpapi.API{Log: slog.New(slog.DiscardHandler), Token: func() string { return "" }}
	w := httptest.NewRecorder()
	api.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/v1/commands/?agent_token=", nil))
	require.Equal(t, http.StatusUnauthorized, w.Code)
}

func TestOldConductorsReadWithoutToken(t *testing.T) {
	api := &httpapi.API{
		Engine: &command.Engine{Log: slog.New(slog.DiscardHandler)}, Log: slog.New(slog.DiscardHandler), Life: context.Background(),
		Token: func() string { return token }, OpenReads: true,
	}
	h := api.Handler()
	ask := func(method, query string) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/v1/commands/"+query, strings.NewReader(`{"name":"x.y","params":{}}`)))
		return w.Code
	}
	require.Equal(t, 200, ask("GET", ""))
	require.Equal(t, 401, ask("POST", ""), "commands never go without")
	require.Equal(t, 401, ask("GET", "?agent_token=wrong"))
	require.Equal(t, 401, ask("GET", ""), "once somebody reads with a token, everybody has to")
	require.Equal(t, 200, ask("GET", "?agent_token="+token))
}

func TestCertificateIsTrustedByItsText(t *testing.T) {
	certificate, text, err := httpapi.Certificate(net.IPv4(127, 0, 0, 1), time.Now())
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(handler(t))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(text)))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(server.URL + "/v1/status")
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	_, other, err := httpapi.Certificate(net.IPv4(127, 0, 0, 1), time.Now())
	require.NoError(t, err)
	require.NotEqual(t, text, other, "each boot has a certificate of its own")
}

// Whatever comes in, the answer is JSON and never a server error.
func FuzzCommands(f *testing.F) {
	f.Add("/v1/commands/", `{"name":"test.echo","params":{"text":"x"}}`)
	f.Add("/v1/commands/", `{"name":null,"params":{"":{}}}`)
	f.Add("/commands/%00?x=%zz", "\x00")
	f.Add("//v1//commands/../status", `{"name":"test.fails","params":{"a":[[[[]]]]}}`)
	h := handler(f)
	f.Fuzz(func(t *testing.T, path, body string) {
		r := httptest.NewRequest("POST", "http://agent/", strings.NewReader(body))
		r.URL.Path = "/" + strings.TrimPrefix(path, "/")
		r.URL.RawQuery = "agent_token=" + token
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
	})
}
