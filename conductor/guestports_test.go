package conductor_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestPortsOfAGuestInUse: its machine has the cards of its ports once it was off and on, and before that nothing touches it.
func TestPortsOfAGuestInUse(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOn)
	require.NoError(t, w.store.Ports().Create(t.Context(), &ingot.Port{NodeUUID: n.UUID, Address: "52:54:00:0b:05:01"}))
	require.NoError(t, w.store.Ports().Create(t.Context(), &ingot.Port{NodeUUID: n.UUID, Address: "52:54:00:0b:05:02"}))
	w.power(n.UUID, ingot.TargetPowerOff)
	require.Zero(t, w.count("plugged"))
	for _, target := range []ingot.PowerTarget{ingot.TargetPowerOn, ingot.TargetReboot, ingot.TargetSoftReboot} {
		s.mu.Lock()
		s.cards = 0
		s.mu.Unlock()
		require.Equal(t, ingot.PowerOn, w.power(n.UUID, target).PowerState)
		require.Equal(t, 2, s.cards, target)
	}
	require.Equal(t, []string{"plugged", "power on"}, w.said()[len(w.said())-2:], "before it starts")
}

// TestPortsThatCannotBePlugged keep no guest from starting, and its history says why it has other cards.
func TestPortsThatCannotBePlugged(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOff)
	for _, why := range []error{ingot.Errorf(ingot.Invalid, "there is no bridge"), errors.New("libvirt refuses it")} {
		w.power(n.UUID, ingot.TargetPowerOff)
		s.mu.Lock()
		s.unplug = why
		s.mu.Unlock()
		after := w.power(n.UUID, ingot.TargetPowerOn)
		require.Equal(t, ingot.PowerOn, after.PowerState, after.LastError)
		told, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{})
		require.NoError(t, err)
		last := told[len(told)-1]
		require.Equal(t, "WARNING", last.Severity)
		require.Equal(t, "this guest starts with the network cards that it had: "+why.Error(), last.Event)
	}
}
