package api_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// deny knows nobody.
type deny struct{}

func (deny) Authenticate(*http.Request) (ingot.Identity, error) {
	return ingot.Identity{}, ingot.Errorf(ingot.Unauthorized, "Authorization required")
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// TestBasicAuth: users of a bcrypt file get in, and what must be public is.
func TestBasicAuth(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "htpasswd")
	write := func(user, password string) {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, []byte("# users\n"+user+":"+string(hash)+"\n"), 0o600))
	}
	write("admin", "right")
	auth := &api.BasicAuth{File: file}
	require.NoError(t, auth.Load())
	s := start(t, func(a *api.API) { a.Auth = auth })
	a := s.must(t, 401, "GET", "/v1/nodes", nil)
	require.JSONEq(t, `{"error": {"message": "Authorization required", "code": 401}}`, a.text)
	require.Equal(t, `Basic realm="Baremetal API"`, a.Header.Get("WWW-Authenticate"))
	for _, path := range []string{"/nodes", "/v1/nodes/", "/metrics", "/v1/events", "/v1/lookups", "/v1/heartbeat"} {
		s.must(t, 401, "GET", path, nil)
	}
	for _, path := range []string{"/", "/v1", "/v1/", "/healthz", "/livez"} {
		s.must(t, 200, "GET", path, nil)
	}
	s.must(t, 404, "GET", "/v1/lookup?node_uuid="+nobody, nil) // public, and knows nobody
	for _, wrong := range []string{basic("admin", "wrong"), basic("nobody", "right"), basic("nobody", "nobody's"), basic("admin", ""), basic("", ""), "Authorization: Bearer right"} {
		s.must(t, 401, "GET", "/v1/nodes", nil, wrong)
	}
	for range 2 { // the second time from memory
		s.must(t, 200, "GET", "/v1/nodes", nil, basic("admin", "right"))
	}
	s.must(t, 401, "GET", "/v1/nodes", nil, basic("admin", "wrong"))
	s.must(t, 201, "POST", "/v1/nodes", `{"driver": "fake-hardware", "name": "n1"}`, basic("admin", "right"))
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "manage"}`, basic("admin", "right"))
	require.Equal(t, "admin", s.Conductor.asked[0].Requester)
	write("operator", "other password") // of another length: a file's time may be coarse
	s.must(t, 401, "GET", "/v1/nodes", nil, basic("admin", "right"))
	s.must(t, 200, "GET", "/v1/nodes", nil, basic("operator", "other password"))
}

// TestPasswordFile: a file that would let nobody in, or everybody, is known at the start.
func TestPasswordFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "htpasswd")
	require.ErrorContains(t, (&api.BasicAuth{File: file}).Load(), "htpasswd -nbB")
	for text, complaint := range map[string]string{"admin\n": "line 1: it is not USER:HASH", "\nadmin:secret\n": "line 2: user admin has no bcrypt hash"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		err := (&api.BasicAuth{File: file}).Load()
		require.ErrorContains(t, err, complaint)
		require.NotContains(t, err.Error(), "secret")
	}
}
