package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// Numbers of machines and exchanges at once: as many sessions as small BMCs have.
const (
	crowd  = 4
	rounds = 5
)

// manyMachines: machines of several BMCs, and several of one BMC, do not disturb one another.
func manyMachines(t *testing.T, s Suite, rig Rig) {
	other := s.New(t)
	other.SetPower(t, ingot.PowerOn)
	var group errgroup.Group
	for range crowd {
		off, on := open(t, rig, RightPassword), open(t, other, RightPassword)
		ctx := enough(t)
		group.Go(func() error { return agree(off.PowerState(ctx))(ingot.PowerOff) })
		group.Go(func() error { return agree(on.PowerState(ctx))(ingot.PowerOn) })
	}
	require.NoError(t, group.Wait())
}

// agree gives a function that checks a power state which was read.
func agree(got ingot.PowerState, err error) func(ingot.PowerState) error {
	return func(want ingot.PowerState) error {
		if err == nil && got != want {
			return ingot.Errorf(ingot.Internal, "the power state was read as %q, not %q", got, want)
		}
		return err
	}
}

// oneMachineShared: exchanges of one machine that overlap take turns.
func oneMachineShared(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	rig.SetPower(t, ingot.PowerOn)
	ctx := enough(t)
	var group errgroup.Group
	for range crowd {
		group.Go(func() error {
			for range rounds {
				if err := agree(m.PowerState(ctx))(ingot.PowerOn); err != nil {
					return err
				}
				if err := m.SetPower(ctx, ingot.ActionOn); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, ingot.PowerOn, rig.Truth(t).Power)
}
