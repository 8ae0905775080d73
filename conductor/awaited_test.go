package conductor_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/conductor/fake"
)

// deafTo is a service that hears no agent any more once it is deaf.
type deafTo struct {
	*world
	deaf  atomic.Bool
	after string // "lookup": the first that was let in makes it deaf
}

func (d *deafTo) Lookup(ctx context.Context, macs []string, node, from string) (ingot.Node, error) {
	if d.deaf.Load() {
		return ingot.Node{}, ingot.Errorf(ingot.NotFound, "Resource could not be found.")
	}
	n, err := d.world.Lookup(ctx, macs, node, from)
	if err == nil && d.after == "lookup" {
		d.deaf.Store(true)
	}
	return n, err
}

func (d *deafTo) Heartbeat(ctx context.Context, node string, hb ingot.Heartbeat) error {
	if d.deaf.Load() {
		return ingot.Errorf(ingot.Invalid, "Invalid agent token received: look the node up again.")
	}
	return d.world.Heartbeat(ctx, node, hb)
}

func (d *deafTo) ContinueInspection(ctx context.Context, node string, inventory ingot.Inventory, plugin map[string]any, from string) (ingot.Node, error) {
	if d.deaf.Load() {
		return ingot.Node{}, ingot.Errorf(ingot.NotFound, "Resource could not be found.")
	}
	return d.world.ContinueInspection(ctx, node, inventory, plugin, from)
}

// TestWaitingNodesOutliveTheirProcess: a process that ends takes its fake agents with it. Whatever their operations wait
// for in the next one, the machines still run their ramdisk there, and call.
func TestWaitingNodesOutliveTheirProcess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		from  ingot.State
		req   ingot.ProvisionRequest
		waits ingot.State
		ends  ingot.State
		// deaf is when agents are heard no more: at an asking of that step, with that in its memory; or after a lookup.
		deaf, memory string
	}{
		{"inspect, before the lookup", ingot.Manageable, ingot.ProvisionRequest{Verb: ingot.VerbInspect}, ingot.InspectWait, ingot.Manageable, "power-on", ""},
		{"inspect, before the report", ingot.Manageable, ingot.ProvisionRequest{Verb: ingot.VerbInspect}, ingot.InspectWait, ingot.Manageable, "lookup", ""},
		{"deploy, before the lookup", ingot.Available, ingot.ProvisionRequest{Verb: ingot.VerbActive}, ingot.DeployWait, ingot.Active, "power-on", ""},
		{
			"clean, after a reboot", ingot.Manageable,
			ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("power.reboot", "deploy.erase_devices_metadata")},
			ingot.CleanWait, ingot.Manageable, "run-steps", "rebooted_at",
		},
		{
			"service, for a heartbeat", ingot.Active,
			ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("deploy.wait")},
			ingot.ServiceWait, ingot.Active, "run-steps", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			dying := &deafTo{world: w, after: c.deaf}
			w.rack.Caller = dying
			w.start(func(live *conductor.Conductor) {
				live.Intercept = func(_ context.Context, r *conductor.Run, step conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
					if step.Name == c.deaf && (c.memory == "" || r.Op.Memory[c.memory] != nil) {
						dying.deaf.Store(true)
					}
					return do()
				}
			})
			n := w.node(c.from, func(n *ingot.Node) {
				if c.from == ingot.Active {
					n.PowerState = ingot.PowerOn
				}
			})
			w.request(n.UUID, c.req)
			for !dying.deaf.Load() || w.get(n.UUID).ProvisionState != c.waits {
				w.until(n.UUID, c.waits)
			}
			w.kill()
			w.rack = &fake.Rack{Log: slog.New(slog.DiscardHandler), Caller: w, Delays: fake.Delays{Beat: 100 * time.Millisecond}}
			w.start(nil)
			require.Empty(t, w.ended(n.UUID).LastError)
			require.Equal(t, c.ends, w.get(n.UUID).ProvisionState)
		})
	}
}
