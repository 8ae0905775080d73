package api_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// sit joins the console of node ex1, which is enabled, at an API whose clock is the test's.
func sit(t *testing.T, change ...func(*api.API)) (s *service, a *aside, person *websocket.Conn, machine net.Conn) {
	t.Helper()
	s, a = startAside(t, change...)
	enableConsole(t, s, true)
	near, far := net.Pipe()
	a.serial = far
	person, _, err := dial(t, s, "") //nolint:bodyclose // the socket's
	require.NoError(t, err)
	t.Cleanup(func() { _ = person.CloseNow(); _ = near.Close() })
	return s, a, person, near
}

// dial joins the console of node ex1, by its name.
func dial(t *testing.T, s *service, query string, header ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	options := &websocket.DialOptions{HTTPHeader: http.Header{"X-Openstack-Ironic-Api-Version": {"latest"}}}
	for i := 0; i < len(header); i += 2 {
		options.HTTPHeader.Set(header[i], header[i+1])
	}
	return websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/v1/nodes/ex1/console/serial"+query, options)
}

func enableConsole(t *testing.T, s *service, on bool) {
	t.Helper()
	n, err := s.Store.Node(t.Context(), "ex1")
	require.NoError(t, err)
	_, err = s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.ConsoleEnabled = on; return nil }})
	require.NoError(t, err)
}

// TestConsoleCarriesBothWays: what the machine says arrives, what is typed too, and the end of either is the other's.
func TestConsoleCarriesBothWays(t *testing.T) {
	t.Parallel()
	_, a, person, machine := sit(t)
	require.Equal(t, []any{false}, a.asked, "nobody is thrown out unless asked")
	_, err := machine.Write([]byte("login: "))
	require.NoError(t, err)
	kind, said, err := person.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, websocket.MessageBinary, kind)
	require.Equal(t, "login: ", string(said))
	require.NoError(t, person.Write(t.Context(), websocket.MessageBinary, []byte("root\r")))
	keys := make([]byte, 5)
	_, err = io.ReadFull(machine, keys)
	require.NoError(t, err)
	require.Equal(t, "root\r", string(keys))

	require.NoError(t, machine.Close())
	_, _, err = person.Read(t.Context())
	var end websocket.CloseError
	require.ErrorAs(t, err, &end)
	require.Equal(t, websocket.StatusNormalClosure, end.Code)
	require.Contains(t, end.Reason, "the console was closed")
}

// TestConsoleIsLeft: a client that goes away frees the console.
func TestConsoleIsLeft(t *testing.T) {
	t.Parallel()
	_, _, person, machine := sit(t)
	require.NoError(t, person.CloseNow())
	_, err := machine.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// TestDisabledConsoleEnds: who sits there is sent away.
func TestDisabledConsoleEnds(t *testing.T) {
	t.Parallel()
	ticks := make(chan time.Time)
	s, _, person, _ := sit(t, func(a *api.API) { a.Clock.After = func(time.Duration) <-chan time.Time { return ticks } })
	enableConsole(t, s, false)
	closed := make(chan error, 1)
	go func() {
		_, _, err := person.Read(t.Context()) // which answers the ping too
		closed <- err
	}()
	ticks <- time.Now()
	var end websocket.CloseError
	require.ErrorAs(t, <-closed, &end)
	require.Equal(t, "the console was disabled", end.Reason)
}

// TestSlowClientHoldsUpNobody: the machine goes on whoever looks, and the client is told what it missed.
func TestSlowClientHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b := api.NewBacklog()
	chunk := bytes.Repeat([]byte("x"), 4096)
	for range 100 {
		b.Add(chunk)
	}
	b.Add([]byte("end"))
	text, err := b.Next(t.Context())
	require.NoError(t, err)
	require.Contains(t, string(text[:40]), "[147459 bytes were left out]")
	require.True(t, bytes.HasSuffix(text, []byte("end")))
	b.End()
	text, err = b.Next(t.Context())
	require.NoError(t, err)
	require.Nil(t, text)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = api.NewBacklog().Next(over)
	require.ErrorIs(t, err, context.Canceled)
}

func TestConsoleRefusals(t *testing.T) {
	t.Parallel()
	s, a := startAside(t)
	a.said = "boot\r\n\xff"
	log := s.must(t, 200, "GET", "/v1/nodes/ex1/console/log?bytes=7", nil)
	require.Equal(t, "boot\r\n\xff", log.text)
	require.Equal(t, "text/plain; charset=utf-8", log.Header.Get("Content-Type"))
	require.Equal(t, []any{int64(7)}, a.asked)
	for path, says := range map[string]string{
		"log?bytes=0": "from 1 to", "log?bytes=x": "from 1 to", "log?bytes=99999999999": "from 1 to", "log?x=1": "x", "serial": "WebSocket", "serial?force=maybe": "maybe",
	} {
		require.Contains(t, s.must(t, 400, "GET", "/v1/nodes/ex1/console/"+path, nil).text, says, path)
	}
	s.must(t, 404, "GET", "/v1/nodes/nobody/console/log", nil)
	a.fail = ingot.Errorf(ingot.Conflict, "The console of node ex1 is not enabled.")
	_, res, err := dial(t, s, "?force=true")
	require.Error(t, err)
	require.Equal(t, 409, res.StatusCode)
	require.NoError(t, res.Body.Close())
	require.Equal(t, true, a.asked[len(a.asked)-1])
}

// TestConsoleOfPages: a page of another site cannot sit at a console with its visitor's rights.
func TestConsoleOfPages(t *testing.T) {
	t.Parallel()
	s, a := startAside(t)
	enableConsole(t, s, true)
	near, far := net.Pipe()
	a.serial = far
	_, res, err := dial(t, s, "", "Origin", "http://evil.example")
	require.Error(t, err)
	require.Equal(t, 403, res.StatusCode)
	require.NoError(t, res.Body.Close())
	_, err = near.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the console is free again")
}

func TestConsoleURLIsWhole(t *testing.T) {
	t.Parallel()
	s, a := startAside(t)
	a.console = map[string]any{"type": "websocket", "url": "/v1/nodes/x/console/serial", "vnc": "127.0.0.1:5900"}
	require.JSONEq(t, `{"console_enabled": true, "console_info": {"type": "websocket", "url": "ws`+strings.TrimPrefix(s.URL, "http")+`/v1/nodes/x/console/serial", "vnc": "127.0.0.1:5900"}}`,
		s.must(t, 200, "GET", "/v1/nodes/ex1/states/console", nil).text)
}
