package fake_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/fake"
)

// stranger is a service that knows another boot of the machine.
type stranger struct{ lookups chan struct{} }

func (s stranger) Lookup(context.Context, []string, string, string) (ingot.Node, error) {
	s.lookups <- struct{}{}
	return ingot.Node{}, ingot.Errorf(ingot.NotFound, "Resource could not be found.")
}

func (stranger) Heartbeat(context.Context, string, ingot.Heartbeat) error { return nil }

func (stranger) ContinueInspection(context.Context, string, ingot.Inventory, map[string]any, string) (ingot.Node, error) {
	return ingot.Node{}, nil
}

// TestAnAgentOfAnotherProcess: a machine that another conductor had boot the ramdisk looks itself up here too, so that the
// service learns that its agent is gone, each time that it is spoken to in vain.
func TestAnAgentOfAnotherProcess(t *testing.T) {
	s := stranger{make(chan struct{}, 10)}
	rack := &fake.Rack{Caller: s, Log: slog.New(slog.DiscardHandler)}
	node := ingot.Node{UUID: "n", PowerState: ingot.PowerOff}
	require.NoError(t, rack.Machine(&node).SetPower(t.Context(), ingot.ActionOn)) // from its disk, here
	node.PowerState, node.Boot.Action = ingot.PowerOn, ingot.BootKernel           // elsewhere
	for range 2 {
		require.Eventually(t, func() bool {
			_, err := rack.Commands(t.Context(), &node)
			require.Equal(t, ingot.Unavailable, ingot.CodeOf(err))
			return len(s.lookups) > 0
		}, 10*time.Second, time.Millisecond)
		<-s.lookups
	}
}

// TestAnAwaitedAgentOfAnotherProcess: a machine that was off when this process last had to do with it goes on in the boot
// that another process began, once. When it loses its power after that it stays off.
func TestAnAwaitedAgentOfAnotherProcess(t *testing.T) {
	s := stranger{make(chan struct{}, 10)}
	rack := &fake.Rack{Caller: s, Log: slog.New(slog.DiscardHandler)}
	node := ingot.Node{UUID: "n", PowerState: ingot.PowerOff}
	machine := rack.Machine(&node)
	rack.Await(&node) // it is off, and to stay so
	power, err := machine.PowerState(t.Context())
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOff, power)

	node.PowerState, node.Boot = ingot.PowerOn, ingot.BootTarget{Action: ingot.BootKernel, Token: "elsewhere"}
	rack.Await(&node)
	select {
	case <-s.lookups:
	case <-time.After(time.Minute):
		require.FailNow(t, "no agent called")
	}
	require.NoError(t, machine.SetPower(t.Context(), ingot.ActionOff))
	rack.Await(&node)
	power, err = machine.PowerState(t.Context())
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOff, power)
}
