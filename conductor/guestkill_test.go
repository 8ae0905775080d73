package conductor_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// guestChange is a step of servicing that changes a guest, and what has to be so after it.
type guestChange struct {
	step    string
	args    map[string]any
	verdict func(t *testing.T, w *world, s *shapely, end ingot.Node)
}

func guestChanges() []guestChange {
	once := func(what string, left int) func(*testing.T, *world, *shapely, ingot.Node) {
		return func(t *testing.T, w *world, s *shapely, _ ingot.Node) {
			require.Equal(t, 1, w.count(what), "%q", w.said())
			require.Len(t, s.kept, left)
		}
	}
	has := func(amounts ingot.Amounts) func(*testing.T, *world, *shapely, ingot.Node) {
		return func(t *testing.T, w *world, s *shapely, end ingot.Node) {
			now, err := ingot.GuestAmounts(&end)
			require.NoError(t, err)
			require.Equal(t, amounts, now)
			require.Equal(t, amounts, w.used(end), "the claim is of what it has")
			require.Equal(t, ingot.PowerOn, end.PowerState)
			if s.memory != nil {
				require.EqualValues(t, amounts[ingot.MemoryMB], s.memory)
			} else {
				require.Equal(t, amounts[ingot.DiskGB], s.gib)
			}
		}
	}
	named := map[string]any{"name": "b"}
	return []guestChange{
		{"snapshot_create", named, once("snapshot created", 2)},
		{"snapshot_revert", map[string]any{"name": "a"}, once("snapshot reverted to", 1)},
		{"snapshot_delete", map[string]any{"name": "a"}, once("snapshot deleted", 0)},
		{"disk_grow", map[string]any{"size_gb": 20.0}, has(ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 512, ingot.DiskGB: 20})},
		{"resize", map[string]any{"flavor": "big"}, has(ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 1024, ingot.DiskGB: 30})},
	}
}

// begin asks for the change of a new guest that runs and has one snapshot, by a conductor that is changed so.
func (g guestChange) begin(t *testing.T, change func(*world, *conductor.Conductor)) (*world, *shapely, ingot.Node) {
	t.Helper()
	w, s, n := guestWith(t, ingot.PowerOn)
	s.kept = []ingot.Snapshot{{Name: "a", Key: "before"}}
	require.NoError(t, w.store.Flavors().Create(t.Context(), &ingot.Flavor{ResourceClass: "big", Resources: ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 1024, ingot.DiskGB: 30}}))
	w.kill()
	w.start(func(c *conductor.Conductor) { s.with(c); change(w, c) })
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: []map[string]any{step("management", g.step, g.args)}})
	return w, s, n
}

// TestGuestStepsKilledAnywhere kills the conductor before, inside and after every asking of the steps that change a guest:
// what was asked for is done once, and claim, row and machine say the same.
func TestGuestStepsKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, g := range guestChanges() {
		t.Run(g.step, func(t *testing.T) {
			t.Parallel()
			count := &asked{}
			w, s, n := g.begin(t, func(_ *world, c *conductor.Conductor) { c.Intercept = count.intercept })
			end := w.ended(n.UUID)
			require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
			g.verdict(t, w, s, end)
			w.kill()
			for at := range count.n {
				for _, moment := range []string{"before", "inside", "after"} {
					t.Run(fmt.Sprintf("%s asking %d", moment, at+1), func(t *testing.T) {
						t.Parallel()
						g.killedOnce(t, at+1, moment)
					})
				}
				if underRace {
					break
				}
			}
		})
	}
}

func (g guestChange) killedOnce(t *testing.T, at int, moment string) {
	var killed chan struct{}
	w, s, n := g.begin(t, func(w *world, c *conductor.Conductor) {
		m := &mortal{Store: w.store}
		kill, died := m.killedAt(at, moment)
		c.Operations, c.Intercept, killed = m, kill.intercept, died
	})
	w.untilKilled(n.UUID, killed)
	w.kill()
	w.start(s.with)
	end := w.ended(n.UUID)
	require.Equal(t, ingot.Active, end.ProvisionState, "%s; %q", end.LastError, w.said())
	require.Empty(t, end.Reservation)
	g.verdict(t, w, s, end)
}
