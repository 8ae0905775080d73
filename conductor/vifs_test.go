package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestUndeployDetaches: an instance's virtual interfaces go with it, and nothing else of its ports does.
func TestUndeployDetaches(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Active)
	ctx := t.Context()
	g := ingot.Portgroup{NodeUUID: n.UUID, Internal: map[string]any{ingot.VIFKey: "vif-a", "kept": "yes"}}
	require.NoError(t, w.store.Portgroups().Create(ctx, &g))
	p := ingot.Port{NodeUUID: n.UUID, Address: "52:54:00:aa:bb:01", Internal: map[string]any{ingot.VIFKey: "vif-b"}}
	require.NoError(t, w.store.Ports().Create(ctx, &p))
	plain := ingot.Port{NodeUUID: n.UUID, Address: "52:54:00:aa:bb:02"}
	require.NoError(t, w.store.Ports().Create(ctx, &plain))
	w.ask(n.UUID, ingot.VerbDeleted)
	w.until(n.UUID, ingot.Available)
	g, err := w.store.Portgroups().Get(ctx, g.UUID)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"kept": "yes"}, g.Internal)
	p, err = w.store.Ports().Get(ctx, p.UUID)
	require.NoError(t, err)
	require.Empty(t, p.Internal)
	plain, err = w.store.Ports().Get(ctx, plain.UUID)
	require.NoError(t, err)
	require.EqualValues(t, 1, plain.Version, "a port without one is not written")
}
