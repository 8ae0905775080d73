package serve_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/fake"
	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store/storetest"
)

// BenchmarkManyNodes deploys fake nodes, all at once, through three conductors on one PostgreSQL: what a node costs is to be
// the same for 1,000 and for 10,000.
func BenchmarkManyNodes(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				deployMany(b, n)
			}
		})
	}
}

func deployMany(b *testing.B, n int) {
	b.Helper()
	b.StopTimer()
	server := storetest.NewServer(b)
	apps := three(b, server.URL)
	nodes := enrolMany(b, apps, n)
	ask, err := pgx.Connect(b.Context(), server.URL)
	require.NoError(b, err)
	defer ask.Close(context.Background()) //nolint:errcheck // nothing was written
	before, used := loadOf(b, ask), processor(b)
	b.StartTimer()
	began := time.Now()
	require.NoError(b, each(n, func(i int) error { return deployOne(b.Context(), apps[i%len(apps)], nodes[i].UUID) }))
	accepted := time.Since(began)
	stats, err := apps[0].Store.Stats(b.Context())
	for ; err == nil && stats.Nodes[ingot.Active] < n; stats, err = apps[0].Store.Stats(b.Context()) {
		require.Zero(b, stats.Nodes[ingot.DeployFailed])
		require.Less(b, time.Since(began), 30*time.Minute)
		time.Sleep(2 * time.Second) // each look counts all nodes
	}
	require.NoError(b, err)
	took := time.Since(began)
	b.StopTimer()
	after := loadOf(b, ask)
	used = processor(b) - used
	b.ReportMetric(accepted.Seconds(), "s-to-accept")
	b.ReportMetric(took.Seconds(), "s-to-active")
	b.ReportMetric(float64(n)/took.Seconds(), "deploys/s")
	b.ReportMetric(took.Seconds()*1000/float64(n), "ms/node")
	b.ReportMetric(used.Seconds()*1000/float64(n), "cpu-ms/node")
	b.ReportMetric(float64(after.transactions-before.transactions)/float64(n), "tx/node")
	b.ReportMetric(float64(after.transactions-before.transactions)/took.Seconds(), "tx/s")
	b.ReportMetric(float64(after.rows-before.rows)/float64(n), "rows-read/node")
	b.ReportMetric(float64(after.pages-before.pages)/float64(n), "pages/node")
	b.ReportMetric(resident(b), "MB-resident")
	b.StartTimer()
}

// deployOne asks as the API does: of the node as it is now, and again if its power was written down meanwhile.
func deployOne(ctx context.Context, app *serve.App, node string) error {
	for try := 1; ; try++ {
		n, err := app.Store.Node(ctx, node)
		if err != nil {
			return err
		}
		err = app.Conductor.Provision(ctx, n, ingot.ProvisionRequest{Verb: ingot.VerbActive})
		if ingot.CodeOf(err) != ingot.Conflict || try == 3 {
			return err
		}
	}
}

// three are the conductors, with one rack of fake machines.
func three(b *testing.B, url string) []*serve.App {
	b.Helper()
	key := b.TempDir() + "/key"
	require.NoError(b, os.WriteFile(key, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	off := false
	rack := &fake.Rack{Delays: fake.Delays{Boot: fake.Exactly(time.Second), Command: fake.Exactly(time.Second)}, Log: slog.New(slog.DiscardHandler)}
	var apps []*serve.App
	for _, name := range []string{"a", "b", "c"} {
		cfg := devConfig(b.TempDir())
		cfg.Hostname, cfg.Rack, cfg.Database = name, rack, serve.Database{URL: url, KeyFile: key}
		cfg.Conduct = serve.Conduct{MaxDeploys: 1_000_000, AutomatedClean: &off}
		app, err := serve.New(b.Context(), cfg, slog.New(slog.DiscardHandler))
		require.NoError(b, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- app.Run(ctx) }()
		b.Cleanup(func() { cancel(); require.NoError(b, <-ended) })
		apps = append(apps, app)
	}
	return apps
}

// enrolMany makes available nodes.
func enrolMany(b *testing.B, apps []*serve.App, n int) []ingot.Node {
	b.Helper()
	nodes := make([]ingot.Node, n)
	require.NoError(b, each(n, func(i int) error {
		nodes[i] = ingot.Node{
			UUID: uuid.NewString(), Driver: "fake-hardware", ProvisionState: ingot.Available, PowerState: ingot.PowerOff,
			Interfaces: ingot.Interfaces{Boot: "fake", Deploy: "fake", Power: "fake", Management: "fake"},
		}
		return apps[i%len(apps)].Store.CreateNode(b.Context(), &nodes[i], nil)
	}))
	return nodes
}

// each does something for 0 to n-1, 32 at a time, until one of them fails.
func each(n int, do func(int) error) error {
	var all errgroup.Group
	for worker := range 32 {
		all.Go(func() error {
			for i := worker; i < n; i += 32 {
				if err := do(i); err != nil {
					return fmt.Errorf("number %d: %w", i, err)
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// load is what PostgreSQL has done: transactions that it committed, rows that it read to carry them out, and pages looked at.
type load struct{ transactions, rows, pages int64 }

func loadOf(b *testing.B, ask *pgx.Conn) load {
	b.Helper()
	time.Sleep(1500 * time.Millisecond) // backends report once a second
	var l load
	require.NoError(b, ask.QueryRow(b.Context(), "SELECT xact_commit, tup_returned, blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()").Scan(&l.transactions, &l.rows, &l.pages))
	return l
}

// processor is how much of it this process has used: three conductors, and the fake machines.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var usage unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// resident is how much memory this process holds: three conductors, and the fake machines.
func resident(b *testing.B) float64 {
	b.Helper()
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kilobytes float64
	_, err = fmt.Sscan(rest, &kilobytes)
	require.NoError(b, err)
	return kilobytes * 1024 / 1e6
}
