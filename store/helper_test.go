package store_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestMain runs the other processes of the tests too: the test binary with an act named in its environment.
func TestMain(m *testing.M) {
	if act := os.Getenv("INGOT_STORE_ACT"); act != "" {
		if err := actAsOther(act); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// both runs a test on both databases with one open store.
func both(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		t.Helper()
		test(t, open())
	})
}

// bothWithClock is both with a clock that the test moves.
func bothWithClock(t *testing.T, test func(t *testing.T, s *store.Store, clock *fakeClock)) {
	t.Helper()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		t.Helper()
		clock := &fakeClock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		cfg.Clock = clock.Now
		test(t, storetest.Open(t, cfg), clock)
	})
}

// fakeClock stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newNode creates a node with the name.
func newNode(t testing.TB, s *store.Store, name string) ingot.Node {
	t.Helper()
	n := ingot.Node{Name: name, Driver: "fake-hardware", ProvisionState: ingot.Enroll}
	require.NoError(t, s.CreateNode(context.Background(), &n, nil))
	return n
}

// newChassis creates a chassis and gives its UUID.
func newChassis(t testing.TB, s *store.Store) string {
	t.Helper()
	var c ingot.Chassis
	require.NoError(t, s.Chassis().Create(context.Background(), &c))
	return c.UUID
}

// start begins a verify of the node.
func start(t testing.TB, s *store.Store, node string) ingot.Operation {
	t.Helper()
	op, err := s.StartOperation(context.Background(), ingot.Start{Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: node}})
	require.NoError(t, err)
	return op
}

// claimOne claims the one operation that is due.
func claimOne(t testing.TB, s *store.Store, conductor string) ingot.Pass {
	t.Helper()
	passes, err := s.ClaimOperations(context.Background(), ingot.Claimer{Hostname: conductor}, 10)
	require.NoError(t, err)
	require.Len(t, passes, 1)
	return passes[0]
}

// refused checks an error's code and its whole sentence.
func refused(t testing.TB, err error, code ingot.Code, sentence string, args ...any) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, ingot.CodeOf(err), "%v", err)
	require.Equal(t, fmt.Sprintf(sentence, args...), err.Error())
}

// parallel runs do n times at once, with the number of each.
func parallel(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}
