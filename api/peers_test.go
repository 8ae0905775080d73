package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// elsewhere has all machines spoken to by one other process.
type elsewhere struct {
	via  http.RoundTripper
	base string
}

func (e elsewhere) At(context.Context, ingot.Node) (http.RoundTripper, string) { return e.via, e.base }

// front is an API beside which a process stands that speaks to node ex1's machine. mine is what the API's own process would
// do.
func front(t *testing.T, change ...func(*api.API)) (s *service, machine, mine *aside) {
	t.Helper()
	behind := &api.API{}
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behind.PeerHandler().ServeHTTP(w, r) }))
	t.Cleanup(peer.Close)
	s, mine = startAside(t, append(change, func(a *api.API) { a.Peers = elsewhere{http.DefaultTransport, peer.URL} })...)
	machine = &aside{}
	*behind = *s.API
	behind.Indicators, behind.Consoles, behind.Media, behind.Vendors = machine, machine, machine, machine
	behind.Auth = deny{} // a peer's word is enough, and nobody else's
	return s, machine, mine
}

// TestAskedOfAPeer: what only a machine knows is asked where somebody speaks to it, and the answer is what it would have
// been there: status, body, headers and refusals.
func TestAskedOfAPeer(t *testing.T) {
	t.Parallel()
	s, machine, mine := front(t)
	machine.said, machine.console = "boot", map[string]any{"type": "websocket", "url": "/v1/nodes/x/console/serial"}
	const node = "/v1/nodes/ex1"
	log := s.must(t, 200, "GET", node+"/console/log?bytes=3", nil)
	require.Equal(t, "boot", log.text)
	require.Equal(t, "text/plain; charset=utf-8", log.Header.Get("Content-Type"))
	require.Len(t, log.Header.Values("X-OpenStack-Ironic-API-Version"), 1)
	require.Contains(t, s.must(t, 200, "GET", node+"/states/console", nil).text, `"ws`+strings.TrimPrefix(s.URL, "http")+`/v1/nodes/x/`, "links are the client's")
	s.must(t, 204, "PUT", node+"/management/indicators/led@system", map[string]any{"state": "off"})
	require.JSONEq(t, `{"said": "baz"}`, s.must(t, 200, "POST", node+"/vendor_passthru?method=ask", map[string]any{"bar": "baz"}).text)
	require.Equal(t, []any{int64(3), "system", "led", ingot.IndicatorOff, "ask", "POST", map[string]any{"bar": "baz"}}, machine.asked)
	machine.fail = ingot.Errorf(ingot.Unsupported, "it cannot")
	require.Contains(t, s.must(t, 400, "GET", node+"/vmedia", nil).text, "it cannot")
	s.must(t, 404, "GET", "/v1/nodes/nobody/vmedia", nil)
	s.must(t, 400, "GET", node+"/console/log?bytes=none", nil)
	s.must(t, 404, "GET", node+"/vmedia", nil, version("1.70"))
	require.Empty(t, mine.asked)
}

// TestPeersJudgeTheClient: whoever may not do a thing may not do it by way of another process either, whatever the client
// says of itself.
func TestPeersJudgeTheClient(t *testing.T) {
	t.Parallel()
	s, machine, _ := front(t)
	s.API.Auth = personas{}
	const lights = "/v1/nodes/ex1/management/indicators"
	root := `Ingot-On-Behalf-Of: {"Who": {"Roles": ["admin"], "System": true}}`
	s.must(t, 200, "GET", lights, nil, as("reader@system"))
	s.must(t, 403, "PUT", lights+"/led@system", map[string]any{"state": "off"}, as("reader@system"), root)
	s.must(t, 404, "GET", lights, nil, as("member@elsewhere"), root)
	s.must(t, 401, "GET", lights, nil, root)
	require.Empty(t, machine.asked)
	s.must(t, 204, "PUT", lights+"/led@system", map[string]any{"state": "off"}, as("admin@system"))
	require.NotEmpty(t, machine.asked)

	unknown := httptest.NewServer(s.API.PeerHandler())
	defer unknown.Close()
	res, err := http.Get(unknown.URL + "/v1/nodes") //nolint:noctx // the server is the test's
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusUnauthorized, res.StatusCode, "who introduces nobody")
}

// TestConsoleThroughAPeer: a person sits at a console that another process holds.
func TestConsoleThroughAPeer(t *testing.T) {
	t.Parallel()
	s, machine, _ := front(t)
	enableConsole(t, s, true)
	near, far := net.Pipe()
	machine.serial = far
	person, _, err := dial(t, s, "?force=true", "Origin", s.URL) //nolint:bodyclose // the socket's
	require.NoError(t, err)
	require.Equal(t, []any{true}, machine.asked)
	go func() { _, _ = near.Write([]byte("login: ")) }()
	_, said, err := person.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "login: ", string(said))
	require.NoError(t, person.Write(t.Context(), websocket.MessageBinary, []byte("root\r")))
	keys := make([]byte, 5)
	_, err = io.ReadFull(near, keys)
	require.NoError(t, err)
	require.Equal(t, "root\r", string(keys))
	require.NoError(t, person.CloseNow())
	_, err = near.Read(keys)
	require.ErrorIs(t, err, io.EOF, "the console is free again")

	machine.fail = ingot.Errorf(ingot.Conflict, "somebody is there")
	_, res, err := dial(t, s, "")
	require.Error(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusConflict, res.StatusCode)
	machine.fail = nil
	_, machine.serial = net.Pipe()
	_, res, err = dial(t, s, "", "Origin", "http://evil.example")
	require.Error(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusForbidden, res.StatusCode, "pages of other sites are refused there too")
}

// broken fails every request.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

// TestAPeerThatIsAway: what was never sent is done here; what may have been is not done again.
func TestAPeerThatIsAway(t *testing.T) {
	t.Parallel()
	s, mine := startAside(t)
	s.API.Peers = elsewhere{broken{&net.OpError{Op: "dial", Err: errors.New("refused")}}, "https://gone:1"}
	light := map[string]any{"state": "off"}
	const path = "/v1/nodes/ex1/management/indicators/led@system"
	s.must(t, 204, "PUT", path, light)
	require.Len(t, mine.asked, 3)
	s.API.Peers = elsewhere{broken{&net.OpError{Op: "read", Err: errors.New("reset")}}, "https://gone:1"}
	require.NotEmpty(t, s.must(t, 503, "PUT", path, light).Header.Get("Retry-After"))
	require.Len(t, mine.asked, 3)
}
