package api_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// TestClientsSayHowLongTheyWait: a client may wait longer for a node than the service would, or not at all, and its body
// is read again each time.
func TestClientsSayHowLongTheyWait(t *testing.T) {
	t.Parallel()
	waits := make(chan time.Duration, 100)
	var release func()
	s := start(t, func(a *api.API) {
		a.Patience = api.Patience{LockedTries: 3, LockedWait: time.Second}
		a.Clock.After = func(d time.Duration) <-chan time.Time {
			waits <- d
			if release != nil && len(waits) == 20 {
				release()
			}
			now := make(chan time.Time, 1)
			now <- time.Now()
			return now
		}
	})
	uuid := s.enrol(t, "n1")
	s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "host1" })
	patch := `[{"op": "add", "path": "/extra/a", "value": 1}]`
	s.must(t, 409, "PATCH", "/v1/nodes/n1", patch, "Prefer: wait=0")
	require.Empty(t, waits)
	s.must(t, 409, "PATCH", "/v1/nodes/n1", patch, "Prefer: wait=nonsense")
	require.Len(t, waits, 2)
	s.must(t, 409, "PATCH", "/v1/nodes/n1", patch, "Prefer: wait=999999")
	require.Len(t, waits, 62, "a minute is the most")
	for len(waits) > 0 {
		<-waits
	}
	release = func() { s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "" }) }
	s.must(t, 200, "PATCH", "/v1/nodes/n1", patch, "Prefer: respond-async, wait=30")
	require.Len(t, waits, 20)
	require.EqualValues(t, 1, s.must(t, 200, "GET", "/v1/nodes/n1", nil).body["extra"].(map[string]any)["a"])
}

// silentNodes is a database that does not answer.
type silentNodes struct{ api.NodeStore }

func (silentNodes) ListNodes(ctx context.Context, _ ingot.NodeQuery) ([]ingot.Node, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestASilentDatabaseIs503(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) {
		a.Patience.Answer = 50 * time.Millisecond
		a.Nodes = silentNodes{a.Nodes}
	})
	a := s.must(t, 503, "GET", "/v1/nodes", nil)
	require.Equal(t, "2", a.Header.Get("Retry-After"))
	require.Contains(t, a.fault(), "cannot answer within 50ms")
}

// TestARequestCutShortIs503: the service is told to stop while a request waits for the database.
func TestARequestCutShortIs503(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) { a.Nodes = silentNodes{a.Nodes} })
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/v1/nodes", nil))
	require.Equal(t, 503, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.Contains(t, w.Body.String(), "the service is being stopped")
}
