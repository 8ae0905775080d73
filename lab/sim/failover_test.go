package sim_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestFailoverInADeploy loses the database in the middle of a deploy, to a standby that never heard of what was committed
// since some steps before. The service goes on by asking the world again: the image is written once.
func TestFailoverInADeploy(t *testing.T) {
	for _, c := range []struct{ lost, at string }{
		{"power-off", "network-boot"}, {"run-steps", "sync"}, {"disk-boot", "power-on-instance"},
	} {
		t.Run("from "+c.lost+" on at "+c.at, func(t *testing.T) {
			t.Parallel() // they mostly wait until nobody can be talking to the BMC any more
			failOver(t, c.lost, c.at)
		})
	}
}

func failOver(t *testing.T, lost, at string) {
	r := newRig(t, smallImage)
	primary := storetest.NewServer(t)
	relay := storetest.NewRelay(t, primary.Address())
	keys := filepath.Join(r.data, "keys")
	require.NoError(t, os.WriteFile(keys, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	r.database = serve.Database{URL: primary.Config(relay.Address).URL, KeyFile: keys}
	standby, link := storetest.NewStandby(t, primary)
	var losing, failing sync.Once
	over := make(chan struct{})
	r.start(func(c *conductor.Conductor) {
		c.Intercept = func(_ context.Context, _ *conductor.Run, s conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			if s.Name == lost {
				losing.Do(func() {
					caughtUp(t, primary)
					link.Swallow()
				})
			}
			p, err := do()
			if s.Name == at {
				failing.Do(func() {
					primary.Crash()
					standby.Promote()
					relay.Turn(standby.Address())
					close(over)
				})
			}
			return p, err
		}
	})
	r.enrol()
	r.deploy()
	<-over
	require.Eventually(t, func() bool { return r.app.Conductor.Pulse.Ready() == nil && r.app.Store.Healthy(t.Context()) == nil }, time.Minute, 50*time.Millisecond)
	op, err := r.app.Store.LiveOperation(t.Context(), r.node, ingot.LaneProvision)
	require.NoError(t, err)
	require.Equal(t, lost, op.Position, "the steps since then are in no row")
	end := r.ended()
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	r.verdict(1)
}

// caughtUp waits until the standby has all that there is.
func caughtUp(t *testing.T, primary *storetest.Server) {
	for end := time.Now().Add(30 * time.Second); primary.Query("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()") != "1"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Error("the standby does not follow")
			return
		}
	}
}
