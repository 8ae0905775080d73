package drivertest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// exchanges are one of each that a machine has.
func exchanges(m ingot.Machine) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"power state": func(ctx context.Context) error { _, err := m.PowerState(ctx); return err },
		"set power":   func(ctx context.Context) error { return m.SetPower(ctx, ingot.ActionOn) },
		"boot device": func(ctx context.Context) error { _, err := m.BootDevice(ctx); return err },
		"set boot device": func(ctx context.Context) error {
			return m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootPXE})
		},
	}
}

func wrongPassword(t *testing.T, _ Suite, rig Rig) {
	before := rig.Truth(t)
	for name, exchange := range exchanges(open(t, rig, WrongPassword)) {
		err := comesBack(t, func() error { return exchange(enough(t)) })
		require.Equal(t, ingot.Unauthorized, ingot.CodeOf(err), "%s: %v", name, err)
		require.True(t, ingot.IsFatal(err))
		require.ErrorContains(t, err, before.Address, name)
		require.ErrorContains(t, err, "password", name)
	}
	require.Equal(t, before, rig.Truth(t))
}

// noPassword: a wrong one works where the other side asks for none.
func noPassword(t *testing.T, _ Suite, rig Rig) {
	_, err := open(t, rig, WrongPassword).PowerState(enough(t))
	require.NoError(t, err)
}

func deadBMC(t *testing.T, _ Suite, rig Rig) {
	address := rig.Truth(t).Address
	used := open(t, rig, RightPassword)
	_, err := used.PowerState(enough(t))
	require.NoError(t, err)
	breaks(t, rig, Dead)
	for name, m := range map[string]ingot.Machine{"with a session": used, "without": open(t, rig, RightPassword)} {
		for what, exchange := range exchanges(m) {
			ctx, cancel := context.WithTimeout(context.Background(), deadline)
			err := comesBack(t, func() error { return exchange(ctx) })
			cancel()
			passes(t, err)
			require.ErrorContains(t, err, address, "%s %s", what, name)
		}
	}
}

func cancelled(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	breaks(t, rig, Dead)
	for what, exchange := range exchanges(m) {
		ctx, cancel := context.WithCancel(context.Background())
		err := comesBack(t, func() error {
			go cancel()
			return exchange(ctx)
		})
		passes(t, err)
		require.ErrorIs(t, err, context.Canceled, what)
	}
}

func busyBMC(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	breaks(t, rig, Busy)
	for _, exchange := range exchanges(m) {
		passes(t, comesBack(t, func() error { return exchange(enough(t)) }))
	}
	require.Equal(t, ingot.PowerOff, rig.Truth(t).Power)
	rig.Break(t, Healthy)
	require.NoError(t, m.SetPower(enough(t), ingot.ActionOn))
	require.Equal(t, ingot.PowerOn, rig.Truth(t).Power)
}

func fullBMC(t *testing.T, _ Suite, rig Rig) {
	breaks(t, rig, Full)
	m := open(t, rig, RightPassword)
	// A protocol without sessions does not mind.
	if _, err := m.PowerState(enough(t)); err != nil {
		passes(t, err)
		require.ErrorContains(t, err, rig.Truth(t).Address)
	}
	rig.Break(t, Healthy)
	_, err := m.PowerState(enough(t))
	require.NoError(t, err)
}

// recovers: a machine that met a dead BMC works again when that is back.
func recovers(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	require.NoError(t, m.SetPower(enough(t), ingot.ActionOn))
	for range 2 {
		breaks(t, rig, Dead)
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		_, err := m.PowerState(ctx)
		cancel()
		passes(t, err)
		rig.Break(t, Healthy)
		got, err := m.PowerState(enough(t))
		require.NoError(t, err)
		require.Equal(t, ingot.PowerOn, got)
	}
}
