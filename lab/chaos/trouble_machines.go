package chaos

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// hauntMachines troubles BMCs and the machines behind them.
func (t *trouble) hauntMachines(ctx context.Context, r *rand.Rand) {
	for pause(ctx, between(r, 500*time.Millisecond, 3*time.Second)) {
		m := t.servers[r.IntN(len(t.servers))]
		if m.fake {
			continue
		}
		switch r.IntN(5) {
		case 0:
			t.count(func(c *Counts) { c.PowerCuts++ })
			m.cut()
		case 1:
			t.misbehave(ctx, m, vbmc.Misbehaviour{DropEvery: 3 + r.IntN(5)}, between(r, time.Second, 15*time.Second))
		case 2:
			t.misbehave(ctx, m, vbmc.Misbehaviour{Delay: between(r, 100*time.Millisecond, 2*time.Second)}, between(r, time.Second, 10*time.Second))
		case 3:
			t.misbehave(ctx, m, vbmc.Misbehaviour{Busy: 1 + r.IntN(4)}, 10*time.Second)
		default:
			t.misbehave(ctx, m, vbmc.Misbehaviour{LoseReplies: 1 + r.IntN(2)}, 10*time.Second)
		}
	}
}

// misbehave has a BMC misbehave for a while, beside whatever else goes on.
func (t *trouble) misbehave(ctx context.Context, m *server, how vbmc.Misbehaviour, lasts time.Duration) {
	t.count(func(c *Counts) { c.BMCFaults++ })
	m.bmc.Faults.Set(how)
	t.follows.Go(func() {
		pause(ctx, lasts)
		m.bmc.Faults.Set(vbmc.Misbehaviour{})
	})
}

// cut takes the machine's power, as if somebody had pulled a plug.
func (m *server) cut() {
	m.mu.Lock()
	m.cuts = append(m.cuts, time.Now())
	m.mu.Unlock()
	m.machine.Cut()
}
