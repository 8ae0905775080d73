package conductor_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// asked counts the askings of steps, and does something at one of them.
type asked struct {
	mu    sync.Mutex
	n, at int
	here  func(do func() (conductor.Progress, error)) (conductor.Progress, error)
}

// reached says whether the asking to do something at came up.
func (a *asked) reached() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n >= a.at
}

func (a *asked) intercept(_ context.Context, _ *conductor.Run, _ conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
	a.mu.Lock()
	a.n++
	hit := a.n == a.at
	a.mu.Unlock()
	if hit {
		return a.here(do)
	}
	return do()
}

// askings runs a plan undisturbed and says how often its steps were asked.
func askings(t *testing.T, s *store.Store, p plan) int {
	t.Helper()
	w := worldOn(t, s)
	defer w.kill()
	count := &asked{}
	w.start(func(c *conductor.Conductor) { c.Intercept = count.intercept })
	require.Equal(t, p.to, p.run(w).ProvisionState)
	w.kill()
	return count.n
}

// stores are of one kind; each is for one test at a time.
type stores chan *store.Store

// newStores makes as many as tests run at once.
func newStores(t *testing.T, config func(testing.TB) store.Config) stores {
	t.Helper()
	all := make(stores, lanes)
	for range lanes {
		cfg := config(t)
		if cfg.URL != "" { // these tests kill processes, not the power: no commit needs to wait for the disk
			separator := "?"
			if strings.Contains(cfg.URL, "?") {
				separator = "&"
			}
			cfg.URL += separator + "synchronous_commit=off"
			cfg.Connections = fewConnections
		}
		all <- storetest.Open(t, cfg)
	}
	return all
}

// fewConnections keeps the stores of all tests that run at once within what PostgreSQL accepts.
const fewConnections = 5

// lend gives a store to the test until it ends.
func (s stores) lend(t *testing.T) *store.Store {
	t.Helper()
	one := <-s
	t.Cleanup(func() { s <- one })
	return one
}

// askings is how often the steps of a plan are asked.
func (s stores) askings(t *testing.T, p plan) int {
	t.Helper()
	one := <-s
	defer func() { s <- one }()
	return askings(t, one, p)
}

// overAll runs a test over every plan, on both databases. What the test runs at once takes a store of its own for it.
func overAll(t *testing.T, test func(t *testing.T, s stores, p plan)) {
	t.Parallel()
	if underRace {
		deploy := plans()[4]
		test(t, newStores(t, storetest.SQLiteConfig), deploy)
		return
	}
	for name, config := range map[string]func(testing.TB) store.Config{"sqlite": storetest.SQLiteConfig, "postgres": storetest.PostgresConfig} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStores(t, config)
			for _, p := range plans() {
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					test(t, s, p)
				})
			}
		})
	}
}
