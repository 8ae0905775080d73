package drivertest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// hearer is a rig that counts all commands that its BMC got, those of logins and good-byes too.
type hearer interface{ Heard() int }

// Heard counts the commands in the BMC's journal.
func (v *Virtual) Heard() int {
	n := 0
	for _, e := range v.log.Entries() {
		if e.Protocol != vbmc.ProtocolMachine {
			n++
		}
	}
	return n
}

// permit: nothing is sent any more when the exchange's permit is over, not even a good-bye; another one opens the way again.
func permit(t *testing.T, _ Suite, rig Rig) {
	counts, ok := rig.(hearer)
	require.True(t, ok, "this rig counts nothing")
	for _, used := range []bool{true, false} {
		m := rig.Machine(t, RightPassword)
		var over atomic.Bool
		ctx := ingot.WithPermit(enough(t), func() error {
			if over.Load() {
				return errors.New("the time is over")
			}
			return nil
		})
		if used {
			_, err := m.PowerState(ctx)
			require.NoError(t, err)
		}
		before := counts.Heard()
		over.Store(true)
		require.Error(t, comesBack(t, func() error { return m.SetPower(ctx, ingot.ActionOn) }))
		closer, _ := ingot.As[ingot.Closer](m)
		require.NoError(t, closer.Close())
		require.Equal(t, before, counts.Heard(), "commands that were sent without a permit (used: %t)", used)
		require.Equal(t, ingot.PowerOff, rig.Truth(t).Power)
		_, err := m.PowerState(context.WithoutCancel(enough(t)))
		require.NoError(t, err)
		require.NoError(t, closer.Close())
	}
}
