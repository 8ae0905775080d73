package hypervisor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/hypervisor"
)

// A base that nothing is over loses its mark first and goes long after; one that a disk is over stays, and gets a mark that
// it had lost back.
func TestIdleBases(t *testing.T) {
	const keep, aside = 24 * time.Hour, 2 * time.Hour
	judge := hypervisor.IdleBases(keep, aside)
	began := time.Unix(1_800_000_000, 0)
	volumes := []string{"base-a.x", "base-a.x.ok", "base-b.y", "base-b.y.ok", "base-c.died", "g.qcow2", "base", "base-lone.z.ok"}
	uses := map[string]bool{"base-b.y": true}
	mark, drop := judge(volumes, uses, began)
	require.Empty(t, mark)
	require.Equal(t, []string{"base-lone.z.ok"}, drop, "a mark of nothing")
	volumes = volumes[:7]
	mark, drop = judge(volumes, uses, began.Add(aside))
	require.Empty(t, mark)
	require.Equal(t, []string{"base-c.died"}, drop, "an upload that died")
	volumes = []string{"base-a.x", "base-a.x.ok", "base-b.y", "base-b.y.ok", "g.qcow2"}
	mark, drop = judge(volumes, uses, began.Add(keep-time.Second))
	require.Empty(t, append(mark, drop...))
	mark, drop = judge(volumes, uses, began.Add(keep))
	require.Empty(t, mark)
	require.Equal(t, []string{"base-a.x.ok"}, drop)
	volumes = []string{"base-a.x", "base-b.y", "base-b.y.ok", "g.qcow2"}
	mark, drop = judge(volumes, map[string]bool{"base-a.x": true}, began.Add(keep+time.Minute))
	require.Equal(t, []string{"base-a.x.ok"}, mark, "somebody had found it before")
	require.Empty(t, drop)
	mark, drop = judge(volumes, nil, began.Add(keep+time.Hour))
	require.Empty(t, append(mark, drop...), "both are idle from now on")
	mark, drop = judge(volumes, nil, began.Add(keep+time.Hour+aside))
	require.Empty(t, mark)
	require.Equal(t, []string{"base-a.x"}, drop)
}
