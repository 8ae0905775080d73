package conductor_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// counter counts how often it is asked, and tells of a machine that is nobody's guest too.
type counter struct {
	asked atomic.Int64
	guest string
}

func (c *counter) GuestStats(context.Context, ingot.Hypervisor) ([]ingot.GuestStats, error) {
	c.asked.Add(1)
	return []ingot.GuestStats{{Guest: "somebody else's", CPU: time.Hour}, {Guest: c.guest, CPU: time.Minute}}, nil
}

// TestGuestStats: a host is asked once, of what it says the guests' own is passed on, and one that is down is not asked.
func TestGuestStats(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOn)
	w.computeHost("without guests", s.prober)
	count := &counter{guest: n.UUID}
	w.conductor().Guests.Counter = count
	found, err := w.conductor().GuestStats(t.Context())
	require.NoError(t, err)
	require.Equal(t, []ingot.GuestStats{{Guest: n.UUID, CPU: time.Minute}}, found)
	require.EqualValues(t, 1, count.asked.Load())
	_, err = w.store.Hypervisors().Change(t.Context(), n.ParentNode, 0, func(h *ingot.Hypervisor) error { h.State = ingot.HypervisorDown; return nil })
	require.NoError(t, err)
	found, err = w.conductor().GuestStats(t.Context())
	require.NoError(t, err)
	require.Empty(t, found)
	require.EqualValues(t, 1, count.asked.Load())
}
