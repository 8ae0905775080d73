package serve

import (
	"context"
	"io"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
)

// The few places where one part's words are not quite another's.

// bootLeases is the store as the boot service asks it.
type bootLeases struct{ *store.Store }

// Leases lists a network's leases.
func (s bootLeases) Leases(ctx context.Context, network string) ([]ingot.Lease, error) {
	return s.ListLeases(ctx, network)
}

// CommitLeases writes all that can be; a batch in which one clashes is written one by one, so that the others do not
// suffer for it.
func (s bootLeases) CommitLeases(ctx context.Context, _ int64, leases []ingot.Lease) (refused []int, err error) {
	if err := s.Store.CommitLeases(ctx, leases); ingot.CodeOf(err) != ingot.Conflict {
		return nil, err
	}
	for i, lease := range leases {
		switch err := s.Store.CommitLeases(ctx, []ingot.Lease{lease}); {
		case ingot.CodeOf(err) == ingot.Conflict:
			refused = append(refused, i)
		case err != nil:
			return refused, err
		}
	}
	return refused, nil
}

// Reservation says whether a machine is known: every port is. Ports have no address of their own yet, so a known one
// takes any of the pool and keeps it.
func (s bootLeases) Reservation(ctx context.Context, network, mac string) (ingot.Lease, bool, error) {
	_, err := s.NodeByMACs(ctx, []string{mac})
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return ingot.Lease{}, false, nil
	case err != nil:
		return ingot.Lease{}, false, err
	}
	return ingot.Lease{Network: network, MAC: mac}, true, nil
}

// sharedClock is the clock of all processes on a database: what one of them promises until a time, others judge.
type sharedClock struct{ *store.Store }

// After is as time.After.
func (sharedClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// bootFiles opens boot files by their token.
type bootFiles struct{ *conductor.Conductor }

// Open gives a file of the machine that the token stands for.
func (f bootFiles) Open(ctx context.Context, token, name string) (io.ReadSeekCloser, int64, error) {
	return f.BootFile(ctx, token, name)
}
