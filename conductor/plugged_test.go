package conductor_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store/storetest"
)

// laden is a cloud in which guests have disks plugged in.
type laden struct {
	*cloud
	mu      sync.Mutex
	plugged []string
	told    []string
}

func (l *laden) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	machine, key, err := l.cloud.Machine(n)
	if guest, is := machine.(*cloudMachine); is {
		machine = ladenGuest{guest, l}
	}
	return machine, key, err
}

type ladenGuest struct {
	*cloudMachine
	l *laden
}

func (g ladenGuest) tell(what string) {
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	g.l.told = append(g.l.told, what)
}

func (g ladenGuest) BlankDisk(context.Context) error { g.tell("blank"); return nil }

func (g ladenGuest) ReleaseDisks(context.Context) ([]string, error) {
	g.tell("release")
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	names := g.l.plugged
	g.l.plugged = nil
	return names, nil
}

// TestDeletedUnplugsDisks: what was plugged into a guest goes with its instance, before anything is done to its disks, and the
// guest's history says so.
func TestDeletedUnplugsDisks(t *testing.T) {
	w, c, guest, _, _ := moves(t, storetest.SQLite(t))
	l := &laden{cloud: c, plugged: []string{"data", "logs"}}
	w.start(func(live *conductor.Conductor) { live.Machines = l })
	w.request(guest.UUID, ingot.ProvisionRequest{Verb: ingot.VerbDeleted})
	w.until(guest.UUID, ingot.Available)
	l.mu.Lock()
	require.Equal(t, []string{"release", "blank"}, l.told)
	l.mu.Unlock()
	history, err := w.store.ListHistory(t.Context(), guest.UUID, ingot.Page{Limit: -1})
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(history, func(h ingot.History) bool {
		return h.Event == "disks that were not its own were unplugged, and are as they were: data, logs"
	}), "%v", history)
}
