package conductor_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// logged is what a conductor says in its log.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestClaimsAreAudited: a guest without a claim is an error in the log and in the figures, and nothing else happens to it.
func TestClaimsAreAudited(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOff)
	w.kill()
	said, registry := &logged{}, prometheus.NewRegistry()
	figures, err := conductor.NewFigures(registry)
	require.NoError(t, err)
	w.start(func(c *conductor.Conductor) {
		s.with(c)
		c.Log, c.Figures = slog.New(slog.NewTextHandler(said, nil)), figures
	})
	faults := func() float64 {
		require.NoError(t, w.conductor().AuditClaims(t.Context()))
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() == "ingot_claim_faults" {
				return f.GetMetric()[0].GetGauge().GetValue()
			}
		}
		return -1
	}
	require.Zero(t, faults())
	require.NotContains(t, said.String(), "claims")
	stray := ingot.Node{Driver: ingot.GuestDriver, ParentNode: n.ParentNode, ProvisionState: ingot.Enroll}
	require.NoError(t, w.store.CreateNode(t.Context(), &stray, nil))
	require.EqualValues(t, 1, faults())
	require.Contains(t, said.String(), "level=ERROR")
	require.Contains(t, said.String(), "guest "+stray.UUID+" of compute host "+n.ParentNode+" has not claimed what it has of it")
	require.Equal(t, ingot.Enroll, w.get(stray.UUID).ProvisionState)
}
