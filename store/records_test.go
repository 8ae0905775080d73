package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

func TestPorts(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n, other := newNode(t, s, "n"), newNode(t, s, "other")
		pg := newGroup(t, s, ingot.Portgroup{NodeUUID: n.UUID}).UUID
		p := ingot.Port{
			NodeUUID: n.UUID, Address: "AA:00:00:00:00:01", Name: "p", Description: "Left", PXEEnabled: true, LocalLinkConnection: map[string]any{"port_id": "1"},
			PhysicalNetwork: "net", PortgroupUUID: pg, IsSmartNIC: true, Vendor: "v", Category: "c", ForDynamicGroups: true, Extra: map[string]any{"a": 1.0}, Internal: map[string]any{"b": ingot.Secret("c")},
		}
		require.NoError(t, s.Ports().Create(ctx, &p, ingot.Event{Type: "port.created"}))
		for _, ident := range []string{p.UUID, "p", "aa:00:00:00:00:01"} {
			got, err := s.Ports().Get(ctx, ident)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(p, got))
		}
		q := ingot.Port{NodeUUID: other.UUID, Address: mac(2)}
		require.NoError(t, s.Ports().Create(ctx, &q))
		refused(t, s.Ports().Create(ctx, &ingot.Port{NodeUUID: "nope", Address: mac(3)}), ingot.NotFound, "Node nope could not be found.")
		for _, query := range []ingot.PortQuery{{NodeUUID: n.UUID}, {Address: "AA:00:00:00:00:01"}, {PortgroupUUID: pg}, {DescriptionContains: "left"}, {Page: ingot.Page{SortKey: "address", Limit: 1}}} {
			got, err := s.ListPorts(ctx, query)
			require.NoError(t, err)
			require.Len(t, got, 1, "%+v", query)
			require.Equal(t, p.UUID, got[0].UUID)
		}
		_, err := s.ListPorts(ctx, ingot.PortQuery{Page: ingot.Page{SortKey: "extra"}})
		refused(t, err, ingot.Invalid, "The sort_key value extra is an invalid field for sorting")
		_, err = s.ListPorts(ctx, ingot.PortQuery{Page: ingot.Page{Marker: "nope"}})
		refused(t, err, ingot.NotFound, "Port nope could not be found.")

		clock.move(time.Second)
		got, err := s.Ports().Change(ctx, p.UUID, 1, func(p *ingot.Port) error { p.PXEEnabled = false; return nil })
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Version)
		require.Equal(t, clock.Now(), got.UpdatedAt)
		_, err = s.Ports().Change(ctx, p.UUID, 1, func(*ingot.Port) error { return nil })
		refused(t, err, ingot.Conflict, "Port %s was changed by another request meanwhile; read it again and retry.", p.UUID)
		_, err = s.Ports().Change(ctx, q.UUID, 0, func(q *ingot.Port) error { q.Address = "AA:00:00:00:00:01"; return nil })
		refused(t, err, ingot.Conflict, "A port with MAC address aa:00:00:00:00:01 already exists. It is port %s of node %s.", p.UUID, n.UUID)
		cause := errors.New("no")
		_, err = s.Ports().Change(ctx, q.UUID, 0, func(*ingot.Port) error { return cause })
		require.Equal(t, cause, err)

		refused(t, s.Ports().Delete(ctx, p.UUID, 1), ingot.Conflict, "Port %s was changed by another request meanwhile; read it again and retry.", p.UUID)
		require.NoError(t, s.Ports().Delete(ctx, p.UUID, 2))
		refused(t, s.Ports().Delete(ctx, p.UUID, 2), ingot.NotFound, "Port %s could not be found.", p.UUID)
	})
}

func TestHistoryIsKeptToTheNewest(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n, quiet := newNode(t, s, "n"), newNode(t, s, "quiet")
		tell := func(node string, history ...ingot.History) {
			t.Helper()
			_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: node, History: history})
			require.NoError(t, err)
		}
		full := ingot.History{
			UUID: "11111111-0000-4000-8000-000000000001", NodeUUID: quiet.UUID, CreatedAt: clock.Now().Add(-time.Hour), Severity: "ERROR", Type: "transition",
			Event: "e", User: "u", Conductor: "c", State: ingot.Active, TargetState: ingot.Available, Duration: 1500 * time.Millisecond,
		}
		tell(quiet.UUID, full)
		var batch []ingot.History
		for i := range 320 {
			batch = append(batch, ingot.History{Event: fmt.Sprint(i)})
		}
		tell(n.UUID, batch...)
		got, err := s.ListHistory(ctx, n.UUID, ingot.Page{})
		require.NoError(t, err)
		require.Len(t, got, 300)
		require.Equal(t, "20", got[0].Event)
		require.Equal(t, "319", got[299].Event)
		require.Equal(t, "INFO", got[0].Severity)
		require.Equal(t, clock.Now(), got[0].CreatedAt)

		one, err := s.History(ctx, full.UUID)
		require.NoError(t, err)
		full.ID = one.ID
		require.Equal(t, full, one)
		_, err = s.History(ctx, "nope")
		refused(t, err, ingot.NotFound, "Node history record nope could not be found.")
		_, err = s.ListHistory(ctx, "nope", ingot.Page{})
		refused(t, err, ingot.NotFound, "Node nope could not be found.")
		page, err := s.ListHistory(ctx, n.UUID, ingot.Page{Limit: 2, Marker: got[4].UUID, Desc: true})
		require.NoError(t, err)
		require.Equal(t, []string{"23", "22"}, []string{page[0].Event, page[1].Event})
		_, err = s.ListHistory(ctx, n.UUID, ingot.Page{SortKey: "nope"})
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	})
}

func TestBlobs(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		require.NoError(t, s.PutBlob(ctx, "a", "text/plain", []byte("one"), clock.Now().Add(time.Minute)))
		require.NoError(t, s.PutBlob(ctx, "b", "application/x-iso9660-image", nil, time.Time{}))
		require.NoError(t, s.PutBlob(ctx, "a", "text/x", []byte("two"), clock.Now().Add(time.Minute)))
		data, kind, err := s.Blob(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, "two", string(data))
		require.Equal(t, "text/x", kind)
		clock.move(time.Minute)
		_, _, err = s.Blob(ctx, "a")
		refused(t, err, ingot.NotFound, "File could not be found: its key is wrong or its time is over.")
		data, _, err = s.Blob(ctx, "b")
		require.NoError(t, err)
		require.Empty(t, data)
		require.NoError(t, s.DeleteBlob(ctx, "b"))
		require.NoError(t, s.DeleteBlob(ctx, "b"))
		_, _, err = s.Blob(ctx, "b")
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		require.Equal(t, ingot.Invalid, ingot.CodeOf(s.PutBlob(ctx, "", "", nil, time.Time{})))
	})
}

func TestPrune(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		old := start(t, s, n.UUID)
		pass := claimOne(t, s, "c")
		pass.Operation.Outcome = ingot.Done
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: pass.Operation, Steps: []ingot.OperationStep{{Step: "s"}}}))
		live := start(t, s, n.UUID)
		require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(1), Address: addr(1), Until: clock.Now().Unix()}}))
		require.NoError(t, s.PutBlob(ctx, "k", "", []byte("x"), clock.Now().Add(time.Hour)))
		_, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: "bmc", Owner: "a", Until: clock.Now()})
		require.NoError(t, err)
		require.NoError(t, s.Prune(ctx))
		_, err = s.Lease(ctx, "lan", mac(1))
		require.NoError(t, err, "not for long enough over")
		clock.move(31 * 24 * time.Hour)
		require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(2), Address: addr(2), Until: clock.Now().Unix()}}))
		require.NoError(t, s.Prune(ctx))
		_, err = s.Operation(ctx, old.UUID)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		_, err = s.Operation(ctx, live.UUID)
		require.NoError(t, err)
		leases, err := s.ListLeases(ctx, "lan")
		require.NoError(t, err)
		require.Len(t, leases, 1)
	})
}

func TestStats(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		a, b := newNode(t, s, "a"), newNode(t, s, "b")
		start(t, s, a.UUID)
		claimOne(t, s, "c")
		start(t, s, b.UUID)
		clock.move(3 * time.Second)
		stats, err := s.Stats(context.Background())
		require.NoError(t, err)
		require.Equal(t, map[ingot.State]int{ingot.Enroll: 2}, stats.Nodes)
		require.Equal(t, map[ingot.Kind]int{ingot.KindVerify: 2}, stats.Operations)
		require.Equal(t, 1, stats.Claimed)
		require.Equal(t, 3*time.Second, stats.Late)
	})
}

func TestRestartKeepsEverything(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		ctx := context.Background()
		s := open()
		n := fullNode(t, s)
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		op := start(t, s, n.UUID)
		claim := func() ingot.Pass {
			passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c", Group: n.ConductorGroup}, 10)
			require.NoError(t, err)
			require.Len(t, passes, 1)
			return passes[0]
		}
		claimed := claim()
		s = open()
		require.NoError(t, s.ReleaseClaims(ctx, ""))
		got, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		n.Conductor = "c"
		require.Empty(t, cmp.Diff(n, got))
		again := claim()
		require.Equal(t, op.UUID, again.Operation.UUID)
		require.NotEqual(t, claimed.Operation.Claim, again.Operation.Claim)
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		require.NoError(t, storetest.Open(t, cfg).Close())
		db := raw(t, cfg)
		_, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
		require.NoError(t, err)
		require.NoError(t, db.Close())
		_, err = store.Open(context.Background(), cfg)
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
		require.Regexp(t, `^cannot open the database: a newer version of Ingot made its schema \(99999; this one knows up to \d+\)`, err.Error())
	})
}

func TestOpenIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		cfg  store.Config
		code ingot.Code
	}{
		"nothing":    {store.Config{}, ingot.Invalid},
		"both":       {store.Config{Path: "x", URL: "y"}, ingot.Invalid},
		"bad URL":    {store.Config{URL: "postgres://%zz", Secret: storetest.Secret}, ingot.Invalid},
		"nobody":     {store.Config{URL: "postgres://x@127.0.0.1:1/x?connect_timeout=2", Secret: storetest.Secret}, ingot.Unavailable},
		"no folder":  {store.Config{Path: t.TempDir() + "/missing/ingot.db"}, ingot.Invalid},
		"a folder":   {store.Config{Path: t.TempDir()}, ingot.Invalid},
		"weak words": {store.Config{Path: t.TempDir() + "/ingot.db", Secret: "short"}, ingot.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Open(context.Background(), row.cfg)
			require.Equal(t, row.code, ingot.CodeOf(err), "%v", err)
		})
	}
}

// TestManyProcessesStartAtOnce has them all migrate one empty PostgreSQL database.
func TestManyProcessesStartAtOnce(t *testing.T) {
	cfg := storetest.PostgresConfig(t)
	parallel(5, func(int) {
		s, err := store.Open(context.Background(), cfg)
		if err != nil {
			t.Error(err)
			return
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		before := goleak.IgnoreCurrent()
		s := storetest.Open(t, cfg)
		newNode(t, s, "n")
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "closing twice does no harm")
		goleak.VerifyNone(t, before)
	})
}
