package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/pxe"
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
// takes any of the pool and keeps it. The lease of a machine whose instance came from another one may have come with that.
func (s bootLeases) Reservation(ctx context.Context, network, mac string) (ingot.Lease, bool, error) {
	n, err := s.NodeByMACs(ctx, []string{mac})
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return ingot.Lease{}, false, nil
	case err != nil:
		return ingot.Lease{}, false, err
	case n.MovedFrom() != "":
		l, err := s.Lease(ctx, network, mac)
		if ingot.CodeOf(err) != ingot.NotFound {
			return l, err == nil, err
		}
	}
	return ingot.Lease{Network: network, MAC: mac}, true, nil
}

// sharedClock is the clock of all processes on a database: what one of them promises until a time, others judge.
type sharedClock struct{ *store.Store }

// After is as time.After.
func (sharedClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// bootFiles opens boot files by their token: here, or at a conductor that has them.
type bootFiles struct {
	*conductor.Conductor
	peers *peers // nil is nobody
}

// Open gives a file of the machine that the token stands for.
func (f bootFiles) Open(ctx context.Context, token, name string) (io.ReadSeekCloser, int64, error) {
	file, size, err := f.BootFile(ctx, token, name)
	if err == nil || f.peers == nil || !errors.Is(err, fs.ErrNotExist) {
		return file, size, err
	}
	answer, elsewhere := f.peers.Get(ctx, pxe.FilePath+url.PathEscape(token)+"/"+url.PathEscape(name), nil)
	if elsewhere != nil {
		return nil, 0, errors.Join(err, elsewhere)
	}
	defer answer.Body.Close()
	return spooled(answer.Body)
}

// spooled is what a reader gives as a file without a name, which goes when it is closed.
func spooled(from io.Reader) (io.ReadSeekCloser, int64, error) {
	f, err := os.CreateTemp("", "ingot-boot-")
	if err != nil {
		return nil, 0, fmt.Errorf("cannot keep a boot file of another process: %w", err)
	}
	size, err := io.Copy(f, from)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("cannot keep a boot file of another process: %w", err), f.Close())
	}
	return f, size, nil
}
