package client_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// hands carries out verbs as a test tells it to.
type hands struct {
	store *store.Store
	after func(node ingot.Node, req ingot.ProvisionRequest) // what becomes of an accepted verb
}

func (h *hands) Provision(ctx context.Context, node ingot.Node, req ingot.ProvisionRequest) error {
	row, _ := ingot.Next(node.ProvisionState, req.Verb)
	h.move(ctx, node.UUID, row.To, row.Target, "")
	go h.after(node, req)
	return nil
}

// move puts a node into a state.
func (h *hands) move(ctx context.Context, uuid string, to, target ingot.State, lastError string) {
	_, err := h.store.ChangeNode(ctx, ingot.NodeChange{UUID: uuid, Change: func(n *ingot.Node) error {
		n.ProvisionState, n.TargetProvisionState, n.LastError = to, target, lastError
		return nil
	}, Events: []ingot.Event{{Type: "node.state"}}})
	if err != nil {
		panic(err)
	}
}

func (h *hands) SetPower(context.Context, ingot.Node, ingot.PowerTarget, time.Duration) error {
	return ingot.Errorf(ingot.Locked, "Node x is locked by host h, please retry after the current operation is completed.")
}

func (h *hands) Validate(context.Context, ingot.Node) (map[string]ingot.Verdict, error) {
	return map[string]ingot.Verdict{"power": ingot.PassVerdict(), "deploy": ingot.FailVerdict("no image"), "raid": {}}, nil
}

func (h *hands) HardwareTypes(context.Context) ([]ingot.HardwareType, error) {
	return []ingot.HardwareType{{Name: "fake-hardware"}}, nil
}

func (h *hands) Conductors(context.Context) ([]ingot.Conductor, error) { return nil, nil }

func start(t *testing.T) (*client.Client, *hands) {
	t.Helper()
	db := storetest.SQLite(t)
	h := &hands{store: db, after: func(ingot.Node, ingot.ProvisionRequest) {}}
	a := &api.API{Nodes: db, Ports: db.Ports(), History: db, Inventories: db, Events: db, Provisioner: h, Drivers: h, Logger: slog.New(slog.DiscardHandler)}
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	return &client.Client{BaseURL: server.URL + "/"}, h
}

// TestLife goes with the client through what it can do.
func TestLife(t *testing.T) {
	t.Parallel()
	c, h := start(t)
	ctx := t.Context()
	require.NoError(t, c.Ready(ctx))
	n, err := c.CreateNode(ctx, map[string]any{"driver": "fake-hardware", "name": "n1"})
	require.NoError(t, err)
	require.Equal(t, ingot.Enroll, n.ProvisionState)
	n, err = c.PatchNode(ctx, "n1", client.Set("/extra/rack", 7), client.Set("/instance_info", map[string]any{"image_source": "http://x"}))
	require.NoError(t, err)
	require.Equal(t, 7.0, n.Extra["rack"])
	n, err = c.PatchNode(ctx, "n1", client.Remove("/extra/rack"))
	require.NoError(t, err)
	require.Empty(t, n.Extra)
	p, err := c.CreatePort(ctx, "n1", "52:54:00:00:00:01")
	require.NoError(t, err)
	ports, err := c.Ports(ctx, "n1")
	require.NoError(t, err)
	require.Equal(t, []client.Port{p}, ports)
	verdicts, err := c.Validate(ctx, "n1")
	require.NoError(t, err)
	require.True(t, *verdicts["power"].Result)
	require.Equal(t, "no image", verdicts["deploy"].Reason)
	require.Nil(t, verdicts["raid"].Result)
	require.NoError(t, c.SetMaintenance(ctx, "n1", true, "fan"))
	n, err = c.Node(ctx, n.UUID)
	require.NoError(t, err)
	require.Equal(t, "fan", n.MaintenanceReason)
	require.NoError(t, c.SetMaintenance(ctx, "n1", false, ""))

	h.after = func(n ingot.Node, req ingot.ProvisionRequest) {
		h.move(context.WithoutCancel(ctx), n.UUID, ingot.Manageable, "", "")
	}
	require.NoError(t, c.SetProvision(ctx, "n1", client.Provision{Target: ingot.VerbManage}))
	n, err = c.WaitState(ctx, "n1", ingot.Manageable)
	require.NoError(t, err)
	require.Equal(t, ingot.Manageable, n.ProvisionState)
	entries, err := c.History(ctx, "n1")
	require.NoError(t, err)
	require.Empty(t, entries)
	evidence, err := c.Evidence(ctx, "n1")
	require.NoError(t, err)
	require.Empty(t, evidence)
	networks, err := c.Networks(ctx)
	require.NoError(t, err)
	require.Empty(t, networks)
	_, err = c.Inventory(ctx, "n1")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	require.NoError(t, c.DeletePort(ctx, p.UUID))
	require.NoError(t, c.DeleteNode(ctx, "n1"))
	nodes, err := c.Nodes(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, nodes)
}

// TestErrors: the service's sentence comes out of its double encoding, with a code.
func TestErrors(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	ctx := t.Context()
	_, err := c.Node(ctx, "nosuch")
	require.EqualError(t, err, "Node nosuch could not be found.")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	_, err = c.Node(ctx, "bad name")
	require.EqualError(t, err, "Expected UUID or name for node: bad name")
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	_, err = c.CreateNode(ctx, map[string]any{"driver": "fake-hardware", "name": "n1"})
	require.NoError(t, err)
	_, err = c.CreateNode(ctx, map[string]any{"driver": "fake-hardware", "name": "n1"})
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err))
	require.Equal(t, ingot.Locked, ingot.CodeOf(c.SetPower(ctx, "n1", ingot.TargetPowerOn)))
	c.Version = "1.999"
	_, err = c.Nodes(ctx, nil)
	require.Equal(t, ingot.NotAcceptable, ingot.CodeOf(err))
	require.ErrorContains(t, err, "[1.1, 1.115]")
	gone := &client.Client{BaseURL: "http://127.0.0.1:1"}
	require.Equal(t, ingot.Unavailable, ingot.CodeOf(gone.Ready(ctx)))
}

// TestErrorShapes are those of other services that speak this API.
func TestErrorShapes(t *testing.T) {
	t.Parallel()
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	c := &client.Client{BaseURL: server.URL}
	inner, err := json.Marshal(`{"code": 404, "title": "Not Found", "description": ""}`)
	require.NoError(t, err)
	for _, tc := range []struct {
		status   int
		body     string
		code     ingot.Code
		sentence string
	}{
		{404, `{"error_message": ` + string(inner) + `}`, ingot.NotFound, "Not Found"},
		{409, `{"error_message": {"faultstring": "x is locked by host y"}}`, ingot.Locked, "x is locked by host y"},
		{413, `{"faultcode": "Client", "faultstring": "too large"}`, ingot.TooLarge, "too large"},
		{401, `{"error": {"message": "Authorization required", "code": 401}}`, ingot.Unauthorized, "Authorization required"},
		{400, `{"error_message": "plain"}`, ingot.Invalid, "plain"},
		{502, `<html>`, ingot.Unavailable, "GET /healthz: 502 Bad Gateway"},
		{500, ``, ingot.Internal, "GET /healthz: 500 Internal Server Error"},
		{403, `{}`, ingot.Forbidden, "GET /healthz: 403 Forbidden"},
	} {
		status, body = tc.status, tc.body
		err := c.Ready(t.Context())
		require.EqualError(t, err, tc.sentence)
		var e *ingot.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tc.code, e.Code)
		require.Equal(t, 7*time.Second, e.After)
	}
}

// TestCredentials: user and password go with every call.
func TestCredentials(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "admin" || password != "secret" {
			w.WriteHeader(401)
		}
	}))
	defer server.Close()
	require.NoError(t, (&client.Client{BaseURL: server.URL, User: "admin", Password: "secret"}).Ready(t.Context()))
}

// TestWaitFails: a wait ends when the node has come to rest elsewhere, and says why.
func TestWaitFails(t *testing.T) {
	t.Parallel()
	c, h := start(t)
	ctx := t.Context()
	n, err := c.CreateNode(ctx, map[string]any{"driver": "fake-hardware", "name": "n1"})
	require.NoError(t, err)
	h.after = func(n ingot.Node, _ ingot.ProvisionRequest) {
		h.move(context.WithoutCancel(ctx), n.UUID, ingot.Enroll, "", "192.0.2.1: wrong password")
	}
	require.NoError(t, c.SetProvision(ctx, "n1", client.Provision{Target: ingot.VerbManage}))
	_, err = c.WaitState(ctx, "n1", ingot.Manageable)
	require.EqualError(t, err, "cannot wait for node n1 to become manageable: it is in state enroll (192.0.2.1: wrong password)")
	h.move(ctx, n.UUID, ingot.DeployFailed, ingot.Active, "no image")
	_, err = c.WaitState(ctx, "n1", ingot.Active)
	require.ErrorContains(t, err, "no image")
	_, err = c.WaitState(ctx, "nosuch", ingot.Active)
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	h.move(ctx, n.UUID, ingot.Deploying, ingot.Active, "")
	short, cancel := context.WithCancel(ctx)
	cancel()
	_, err = c.WaitState(short, "n1", ingot.Active)
	require.ErrorIs(t, err, context.Canceled)
}

// TestWaitPolls: a service without an event stream is asked again and again.
func TestWaitPolls(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/events" {
			w.WriteHeader(404)
			return
		}
		state := "deploying"
		if asked.Add(1) == 2 {
			state = "active"
		}
		_, _ = w.Write([]byte(`{"uuid": "x", "provision_state": "` + state + `"}`))
	}))
	defer server.Close()
	_, err := (&client.Client{BaseURL: server.URL}).WaitState(t.Context(), "x", ingot.Active)
	require.NoError(t, err)
}

// TestEvents: none is lost between two streams.
func TestEvents(t *testing.T) {
	t.Parallel()
	c, h := start(t)
	for _, name := range []string{"a", "b", "c"} {
		_, err := c.CreateNode(t.Context(), map[string]any{"driver": "fake-hardware", "name": name})
		require.NoError(t, err)
	}
	last, err := c.LastEvent(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, last)
	after, seen := int64(0), []any{}
	for len(seen) < 3 {
		for e, err := range c.Events(t.Context(), client.EventQuery{After: &after, Types: []string{"node.created"}}) {
			require.NoError(t, err)
			after, seen = e.ID, append(seen, e.Data["name"])
			break
		}
	}
	require.Equal(t, []any{"a", "b", "c"}, seen)
	for _, err := range c.Events(t.Context(), client.EventQuery{Node: "nosuch"}) {
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	}
	b, err := c.Node(t.Context(), "b")
	require.NoError(t, err)
	zero := int64(0)
	h.move(t.Context(), b.UUID, ingot.Active, "", "")
	var types []string
	for e, err := range c.Events(t.Context(), client.EventQuery{After: &zero, Node: "b"}) {
		require.NoError(t, err)
		if types = append(types, e.Type); len(types) == 2 {
			break
		}
	}
	require.Equal(t, []string{"node.created", "node.state"}, types)
}

// TestPages: a list is read to its end.
func TestPages(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	for range 5 {
		_, err := c.CreateNode(t.Context(), map[string]any{"driver": "fake-hardware"})
		require.NoError(t, err)
	}
	nodes, err := c.Nodes(t.Context(), url.Values{"limit": {"2"}, "provision_state": {"enroll"}})
	require.NoError(t, err)
	require.Len(t, nodes, 5)
}
