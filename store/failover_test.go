package store_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store/storetest"
)

// said keeps what is logged.
type said struct {
	mu sync.Mutex
	bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Buffer.Write(p)
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.String()
}

// TestFailoverThatLosesCommits promotes a standby that never heard of the last commits: a lease on a BMC, and a claim. The
// conductors are told to begin anew, and nobody claims or speaks to BMCs until whoever had them must have ended.
func TestFailoverThatLosesCommits(t *testing.T) {
	ctx := context.Background()
	primary := storetest.NewServer(t)
	relay := storetest.NewRelay(t, primary.Address())
	cfg := primary.Config(relay.Address)
	alone := &said{}
	cfg.Logger = slog.New(slog.NewTextHandler(alone, nil))
	s := storetest.Open(t, cfg)
	require.NotContains(t, alone.text(), "asynchronous standbys", "there is none")
	standby, link := storetest.NewStandby(t, primary)
	caughtUp(t, primary, s)
	log := &said{}
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	other := storetest.Open(t, cfg)
	require.Contains(t, log.text(), "the database has asynchronous standbys")

	a := ingot.Conductor{Hostname: "a", Process: "of a"}
	claimer := ingot.Claimer{Hostname: "a", Process: "of a"}
	require.NoError(t, s.Join(ctx, a, ""))
	n := ingot.Node{Name: "n", Driver: "fake-hardware"}
	require.NoError(t, s.CreateNode(ctx, &n, nil))
	start(t, s, n.UUID)
	caughtUp(t, primary, s)
	link.Swallow()
	wait, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: "bmc", Owner: "of a", Until: s.Now().Add(20 * time.Second)})
	require.NoError(t, err)
	require.Zero(t, wait)
	claimed, err := s.ClaimOperations(ctx, claimer, 10)
	require.NoError(t, err)
	require.Len(t, claimed, 1)

	primary.Crash()
	standby.Promote()
	relay.Turn(standby.Address())
	require.Eventually(t, func() bool { return other.Healthy(ctx) == nil && s.Healthy(ctx) == nil }, 30*time.Second, 20*time.Millisecond)
	began := time.Now()
	ask := func() error {
		_, err := other.LeaseBMC(ctx, ingot.BMCLease{Address: "bmc", Owner: "of another", Until: other.Now().Add(time.Second)})
		return err
	}
	require.ErrorContains(t, ask(), "the database failed over to another server", "a's lease is in no row")
	_, err = s.ClaimOperations(ctx, claimer, 10)
	require.ErrorContains(t, err, "conductor a claims nothing: the database failed over")
	_, err = s.Beat(ctx, a)
	require.Equal(t, ingot.Fenced, ingot.CodeOf(err))
	require.NoError(t, s.Join(ctx, a, ""))
	_, err = s.Beat(ctx, a)
	require.NoError(t, err, "it is told once")
	require.Contains(t, log.text(), "the last commits may be lost")
	require.Eventually(t, func() bool {
		_, beat := s.Beat(ctx, a)
		claimed, err = s.ClaimOperations(ctx, claimer, 10)
		return beat == nil && err == nil
	}, 30*time.Second, 50*time.Millisecond)
	require.Len(t, claimed, 1, "the operation is there, and was not claimed")
	require.Greater(t, time.Since(began), 2*time.Second)
	require.ErrorContains(t, ask(), "what was under way has to end first")
	standby.Ask("UPDATE timeline SET seen_at = seen_at - 22000000") // the rest of the time passes
	require.NoError(t, ask())
}

// caughtUp waits until the standby has all that there is.
func caughtUp(t *testing.T, primary *storetest.Server, s interface{ Healthy(context.Context) error }) {
	t.Helper()
	require.NoError(t, s.Healthy(t.Context()))
	require.Eventually(t, func() bool {
		return primary.Query("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()") == "1"
	}, 30*time.Second, 20*time.Millisecond)
}
