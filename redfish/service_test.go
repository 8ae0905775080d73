package redfish_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/redfish"
)

// pretend is a service made of fixed resources, for what a virtual BMC does not do.
type pretend struct {
	resources map[string]any
	noBasic   bool
	asked     atomic.Int64 // requests
	deleted   atomic.Int64 // sessions
	opened    atomic.Int64 // connections
	closed    atomic.Int64
	slow      atomic.Bool // the systems do not answer
	changes   []map[string]any
}

func newPretend(systems ...string) *pretend {
	members := []any{}
	p := &pretend{resources: map[string]any{"/redfish/v1/SessionService/Sessions": map[string]any{}}}
	for _, name := range systems {
		path := "/redfish/v1/Systems/" + name
		members = append(members, map[string]any{"@odata.id": path})
		p.resources[path] = map[string]any{"@odata.id": path, "Id": name, "PowerState": "On"}
	}
	p.resources["/redfish/v1/Systems"] = map[string]any{"Members": members, "Members@odata.count": len(members)}
	p.resources["/redfish/v1/"] = map[string]any{
		"@odata.id": "/redfish/v1/", "Systems": map[string]any{"@odata.id": "/redfish/v1/Systems"},
		"Links": map[string]any{"Sessions": map[string]any{"@odata.id": "/redfish/v1/SessionService/Sessions"}},
	}
	return p
}

func (p *pretend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	_, _, basic := r.BasicAuth()
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Sessions"):
		w.Header().Set("X-Auth-Token", "token")
		w.Header().Set("Location", r.URL.Path+"/1")
		w.WriteHeader(http.StatusCreated)
		return
	case r.URL.Path != "/redfish/v1/" && r.Header.Get("X-Auth-Token") != "token" && (p.noBasic || !basic):
		http.Error(w, `{"error": {"code": "Base.1.0.InsufficientPrivilege", "message": "no"}}`, http.StatusUnauthorized)
		return
	case r.Method == http.MethodPatch:
		change := map[string]any{}
		_ = json.NewDecoder(r.Body).Decode(&change)
		p.changes = append(p.changes, change)
		return
	case r.Method == http.MethodDelete:
		p.deleted.Add(1)
		return
	case p.slow.Load():
		<-r.Context().Done()
		return
	}
	resource, ok := p.resources[r.URL.Path]
	if !ok {
		http.Error(w, `{"error": {"code": "Base.1.0.ResourceMissingAtURI", "message": "not here"}}`, http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(resource)
}

func (p *pretend) start(t testing.TB) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(p)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			p.opened.Add(1)
		case http.StateClosed:
			p.closed.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func machine(t testing.TB, address string, with map[string]any) ingot.Machine {
	t.Helper()
	info := map[string]any{"redfish_address": address, "redfish_username": "admin", "redfish_password": "secret"}
	for key, v := range with {
		info[key] = v
	}
	m, err := redfish.New(info, redfish.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.(ingot.Closer).Close()) })
	return m
}

func within(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func TestWhichSystem(t *testing.T) {
	for _, row := range []struct {
		name    string
		systems []string
		id      any
		code    ingot.Code
		says    string
	}{
		{"the only one", []string{"node"}, nil, "", ""},
		{"named", []string{"left", "right"}, "/redfish/v1/Systems/right", "", ""},
		{"one of two", []string{"left", "right"}, nil, ingot.Invalid, "/redfish/v1/Systems/left, /redfish/v1/Systems/right"},
		{"none", nil, nil, ingot.Invalid, "redfish_system_id"},
		{"another's", []string{"left"}, "/redfish/v1/Systems/right", ingot.NotFound, "not here"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := newPretend(row.systems...).start(t)
			_, err := machine(t, server.URL, map[string]any{"redfish_system_id": row.id}).PowerState(within(t, 10*time.Second))
			require.Equal(t, row.code, ingot.CodeOf(err), "%v", err)
			if row.code != "" {
				require.ErrorContains(t, err, row.says)
				require.ErrorContains(t, err, server.URL)
			}
		})
	}
}

// One connection serves a machine from its first request to Close; a named system costs one request to read.
func TestConnectionIsKept(t *testing.T) {
	p := newPretend("node")
	m := machine(t, p.start(t).URL, map[string]any{"redfish_system_id": "/redfish/v1/Systems/node"})
	_, err := m.PowerState(within(t, 10*time.Second))
	require.NoError(t, err)
	first := p.asked.Load()
	for range 5 {
		_, err := m.PowerState(within(t, 10*time.Second))
		require.NoError(t, err)
	}
	require.Equal(t, first+5, p.asked.Load())
	require.Equal(t, int64(1), p.opened.Load())
	require.NoError(t, m.(ingot.Closer).Close())
	require.Eventually(t, func() bool { return p.closed.Load() == 1 }, 10*time.Second, time.Millisecond)
}

// A session ends with the machine, but is not waited for when an exchange has run out of time.
func TestSessionEnds(t *testing.T) {
	p := newPretend("node")
	m := machine(t, p.start(t).URL, map[string]any{"redfish_auth_type": "session"})
	_, err := m.PowerState(within(t, 10*time.Second))
	require.NoError(t, err)
	require.NoError(t, m.(ingot.Closer).Close())
	require.Equal(t, int64(1), p.deleted.Load())
	_, err = m.PowerState(within(t, 10*time.Second))
	require.NoError(t, err)
	p.slow.Store(true)
	_, err = m.PowerState(within(t, 100*time.Millisecond))
	require.Equal(t, ingot.Unavailable, ingot.CodeOf(err), "%v", err)
	require.Equal(t, int64(1), p.deleted.Load())
}

func TestBasicSwitchedOff(t *testing.T) {
	p := newPretend("node")
	p.noBasic = true
	url := p.start(t).URL
	_, err := machine(t, url, nil).PowerState(within(t, 10*time.Second))
	require.NoError(t, err, "auto takes a session")
	_, err = machine(t, url, map[string]any{"redfish_auth_type": "basic"}).PowerState(within(t, 10*time.Second))
	require.Equal(t, ingot.Unauthorized, ingot.CodeOf(err))
}

// What the system does not take is told before it is asked for; the mode is sent only where there is one to change.
func TestBootOfAPlainSystem(t *testing.T) {
	p := newPretend("node")
	system := p.resources["/redfish/v1/Systems/node"].(map[string]any)
	system["Boot"] = map[string]any{
		"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None",
		"BootSourceOverrideTarget@Redfish.AllowableValues": []string{"None", "Pxe"}, "BootSourceOverrideEnabled@Redfish.AllowableValues": []string{"Disabled", "Once"},
	}
	m, ctx := machine(t, p.start(t).URL, nil), within(t, 10*time.Second)
	require.NoError(t, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootPXE}))
	require.Equal(t, []map[string]any{{"Boot": map[string]any{"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}}}, p.changes)
	for _, want := range []ingot.BootSetting{{Device: ingot.BootDisk}, {Device: ingot.BootPXE, Persistent: true}} {
		err := m.SetBootDevice(ctx, want)
		require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
	}
	system["Actions"] = map[string]any{"#ComputerSystem.Reset": map[string]any{"target": "/x", "ResetType@Redfish.AllowableValues": []string{"On"}}}
	err := m.SetPower(ctx, ingot.ActionOff)
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
}

// An answer without end is cut off.
func TestEndlessAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"Name": "`))
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat("x", 1<<16))); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	_, err := machine(t, server.URL, nil).PowerState(within(t, 20*time.Second))
	require.Error(t, err)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
}

func TestTrust(t *testing.T) {
	server := httptest.NewUnstartedServer(newPretend("node"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
	server.StartTLS()
	defer server.Close()
	folder := t.TempDir()
	file := filepath.Join(folder, "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	plain := newPretend("node").start(t)
	wrongName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, row := range []struct {
		name, address string
		verify        any
		says          string // "" when it is trusted
	}{
		{"by default", server.URL, nil, "signed by nobody known"},
		{"true", server.URL, true, "redfish_verify_ca"},
		{"false", server.URL, false, ""},
		{"a file", server.URL, file, ""},
		{"a folder", server.URL, folder, ""},
		{"another name", wrongName, file, "certificate is for another name"},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), nil, "does not speak TLS"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := machine(t, row.address, map[string]any{"redfish_verify_ca": row.verify}).PowerState(within(t, 10*time.Second))
			if row.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.says)
			require.ErrorContains(t, err, row.address)
			require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
		})
	}
}

func TestNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, err = machine(t, fmt.Sprintf("http://%s", listener.Addr()), nil).PowerState(within(t, 10*time.Second))
	require.Equal(t, ingot.Unavailable, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, listener.Addr().String())
}
