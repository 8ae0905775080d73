package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestCopyToPostgres moves an embedded database with work under way into a shared one, which goes on with it.
func TestCopyToPostgres(t *testing.T) {
	ctx := context.Background()
	one := storetest.SQLiteConfig(t)
	one.Secret = storetest.Secret
	from, cfg := storetest.Open(t, one), storetest.PostgresConfig(t)
	to := storetest.Open(t, cfg)
	n := fullNode(t, from)
	require.NoError(t, from.CreateNode(ctx, &n, []ingot.Port{{Address: mac(1), Extra: map[string]any{"a": "b"}, PXEEnabled: true}}))
	other := newNode(t, from, "other")
	op := start(t, from, other.UUID)
	claimOne(t, from, "old")
	require.NoError(t, from.PutBlob(ctx, "key", "text/plain", []byte("drive"), time.Time{}))
	require.NoError(t, from.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(1), Address: addr(10), Until: time.Now().Add(time.Hour).Unix()}}))
	_, err := from.ChangeNode(ctx, ingot.NodeChange{UUID: other.UUID, History: []ingot.History{{Event: "once"}}, Events: []ingot.Event{{Type: "x"}}})
	require.NoError(t, err)

	copied, err := from.CopyTo(ctx, to)
	require.NoError(t, err)
	require.EqualValues(t, 2, copied["nodes"])
	require.EqualValues(t, 1, copied["operations"])

	got, err := to.Node(ctx, n.UUID)
	require.NoError(t, err)
	want, err := from.Node(ctx, n.UUID)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(want, got), "secrets too")
	again := claimOne(t, to, "new")
	require.Equal(t, op.UUID, again.Operation.UUID, "the claim was put back")
	require.NoError(t, to.CommitPass(ctx, ingot.Result{Operation: again.Operation, Events: []ingot.Event{{Type: "after"}}}))
	events, _, err := to.Events(ctx, 0, 100)
	require.NoError(t, err)
	require.Equal(t, "x", events[0].Type)
	require.Equal(t, "after", events[len(events)-1].Type)
	data, _, err := to.Blob(ctx, "key")
	require.NoError(t, err)
	require.Equal(t, "drive", string(data))
	history, err := to.ListHistory(ctx, other.UUID, ingot.Page{})
	require.NoError(t, err)
	require.Len(t, history, 1)
	newNode(t, to, "made after the copy")
	_, err = from.CopyTo(ctx, to)
	refused(t, err, ingot.Invalid, "cannot copy: the PostgreSQL database holds records already; give an empty one")
	_, err = to.CopyTo(ctx, from)
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
}

// TestCopiesKnowEveryTable: a table that is on one database only would be lost.
func TestCopiesKnowEveryTable(t *testing.T) {
	ctx := context.Background()
	copied, err := storetest.SQLite(t).CopyTo(ctx, storetest.Postgres(t))
	require.NoError(t, err)
	require.Contains(t, copied, "allocations")
	require.NotContains(t, copied, "conductors")
}
