package drivertest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// Suite is what a driver declares of itself for Run.
type Suite struct {
	// New sets up a rig, and takes it away by t.Cleanup.
	New func(t testing.TB) Rig
	// Devices are the boot devices that the machine must know; Hidden are further ones, which this other side cannot
	// tell apart; Foreign are some that it must refuse.
	Devices, Hidden, Foreign []ingot.BootDevice
	// Modes says that the firmware mode is kept with the boot device, as the BMC's other side shows.
	Modes bool
	// Abilities are the names of the extra abilities that a machine must have, of those that Run knows: "close",
	// "boot devices", "reset", "nmi", "sensors", "event log", "boot modes", "secure boot", "health", "maker", "indicators",
	// "virtual media", "bios settings", "firmware", "vendor". It must have no others of these.
	Abilities []string
	// Faults are the ways in which the rig can make its BMC misbehave; it must know no others.
	Faults []Fault
	// PowerOnly leaves out what is about boot devices, for other sides that cannot show them.
	PowerOnly bool
	// NoNMI says that this BMC refuses NMIs, which the machine must tell as Unsupported.
	NoNMI bool
	// Counted says that the rig counts all commands that its BMC gets, as Virtual does.
	Counted bool
	// NoLogin says that the other side asks for no password.
	NoLogin bool
	// NoSystem says that nothing runs on these machines that would obey a soft power off.
	NoSystem bool
	// LightsUnread says that this BMC switches lights and does not say what they do: they are in an unknown state.
	LightsUnread bool
}

// Patience of the suite. None of them is an expectation of speed.
const (
	// deadline is given to exchanges with a BMC that does not answer.
	deadline = 300 * time.Millisecond
	// grace is how long after its deadline an exchange counts as never coming back.
	grace = 10 * time.Second
	// ample is given to exchanges that come back by themselves.
	ample = 30 * time.Second
)

// open is a machine of the rig's, closed when the fact has been seen.
func open(t testing.TB, rig Rig, login Login) ingot.Machine {
	t.Helper()
	m := rig.Machine(t, login)
	if closer, ok := ingot.As[ingot.Closer](m); ok {
		t.Cleanup(func() { require.NoError(t, closer.Close()) })
	}
	return m
}

// another does something with a machine that is closed again at once.
func another(t testing.TB, rig Rig, do func(ingot.Machine)) {
	t.Helper()
	m := rig.Machine(t, RightPassword)
	do(m)
	if closer, ok := ingot.As[ingot.Closer](m); ok {
		require.NoError(t, closer.Close())
	}
}

func enough(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), ample)
	t.Cleanup(cancel)
	return ctx
}

// breaks breaks the BMC in a way that the suite declares the rig to be able to.
func breaks(t *testing.T, rig Rig, f Fault) {
	t.Helper()
	require.True(t, rig.Break(t, f), "this rig cannot make a BMC %s", f)
}

// comesBack waits for an exchange that must end by itself, and gives its error.
func comesBack(t *testing.T, exchange func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- exchange() }()
	select {
	case err := <-done:
		return err
	case <-time.After(deadline + grace):
		require.FailNow(t, "the exchange did not come back")
		return nil
	}
}

// passes asserts that err is one after which asking again makes sense.
func passes(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	require.False(t, ingot.IsFatal(err), "this passes: %v", err)
	require.NotContains(t, err.Error(), "\n", "a sentence is one line")
}
