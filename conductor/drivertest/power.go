package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

func powerIsRead(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	for _, want := range []ingot.PowerState{ingot.PowerOff, ingot.PowerOn, ingot.PowerOff} {
		rig.SetPower(t, want)
		got, err := m.PowerState(enough(t))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Zero(t, rig.Truth(t).PowerCommands, "reading commands nothing")
}

func powerIsSet(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	for _, step := range []struct {
		do   ingot.PowerAction
		want ingot.PowerState
	}{{ingot.ActionOn, ingot.PowerOn}, {ingot.ActionOff, ingot.PowerOff}, {ingot.ActionOn, ingot.PowerOn}} {
		require.NoError(t, m.SetPower(enough(t), step.do))
		require.Equal(t, step.want, rig.Truth(t).Power)
		got, err := m.PowerState(enough(t))
		require.NoError(t, err)
		require.Equal(t, step.want, got)
	}
}

func powerRepeats(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	for _, step := range []struct {
		do   ingot.PowerAction
		want ingot.PowerState
	}{{ingot.ActionOff, ingot.PowerOff}, {ingot.ActionOn, ingot.PowerOn}} {
		require.NoError(t, m.SetPower(enough(t), step.do))
		once := rig.Truth(t)
		require.NoError(t, m.SetPower(enough(t), step.do))
		another(t, rig, func(m ingot.Machine) { require.NoError(t, m.SetPower(enough(t), step.do)) })
		require.Equal(t, once, rig.Truth(t), "what holds already is not commanded again")
		require.Equal(t, step.want, once.Power)
	}
}

func softOff(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	require.NoError(t, m.SetPower(enough(t), ingot.ActionSoftOff), "off already")
	require.Equal(t, ingot.PowerOff, rig.Truth(t).Power)
	rig.SetPower(t, ingot.PowerOn)
	require.NoError(t, m.SetPower(enough(t), ingot.ActionSoftOff))
	if s.NoSystem {
		require.Equal(t, ingot.PowerOn, rig.Truth(t).Power, "it was asked, not switched off")
		return
	}
	require.Equal(t, ingot.PowerOff, rig.Truth(t).Power, "the rig's machine obeys at once")
}

func reset(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.Resetter](t, rig)
	rig.SetPower(t, ingot.PowerOn)
	before := rig.Truth(t)
	require.NoError(t, able.Reset(enough(t)))
	after := rig.Truth(t)
	require.Equal(t, ingot.PowerOn, after.Power)
	require.Equal(t, before.PowerCommands+1, after.PowerCommands)
	rig.SetPower(t, ingot.PowerOff)
	require.NoError(t, able.Reset(enough(t)))
	require.Equal(t, ingot.PowerOn, rig.Truth(t).Power, "what is off is switched on")
}

func unknownPowerAction(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	for _, action := range []ingot.PowerAction{"", "toggle"} {
		err := m.SetPower(enough(t), action)
		require.True(t, ingot.IsFatal(err), "%q: %v", action, err)
	}
	require.Zero(t, rig.Truth(t).PowerCommands)
}

// A reply that is lost leaves the driver in doubt: it may tell success or failure, but asking again must neither fail
// nor undo what was done.
func lostReply(t *testing.T, _ Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	breaks(t, rig, LostReply)
	if err := m.SetPower(enough(t), ingot.ActionOn); err != nil {
		passes(t, err)
	}
	require.Equal(t, ingot.PowerOn, rig.Truth(t).Power)
	rig.Break(t, Healthy)
	require.NoError(t, m.SetPower(enough(t), ingot.ActionOn))
	require.Equal(t, ingot.PowerOn, rig.Truth(t).Power)
	got, err := m.PowerState(enough(t))
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOn, got)
}
