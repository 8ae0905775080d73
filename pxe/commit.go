package pxe

import (
	"context"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// groupMost is how many leases go into one transaction.
const groupMost = 256

// commit is a lease that waits to be written. The answer is nil, errTaken, or why it could not be written.
type commit struct {
	lease  ingot.Lease
	answer chan error
}

// save writes a lease and returns when it is in the store. While one transaction is under way, those that come
// meanwhile gather and go together in the next: a rack that is switched on at once costs a few transactions.
func (s *Server) save(ctx context.Context, lease ingot.Lease) error {
	c := commit{lease: lease, answer: make(chan error, 1)}
	select {
	case s.commits <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writeLeases commits in groups until ctx ends.
func (s *Server) writeLeases(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-s.commits:
			s.writeGroup(ctx, s.gather(first))
		}
	}
}

// gather is first and what else waits already.
func (s *Server) gather(first commit) []commit {
	group := []commit{first}
	for len(group) < groupMost {
		select {
		case c := <-s.commits:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

// writeGroup writes leases in one transaction and answers each. A machine that asked twice is written once, with its
// last wish, since a transaction cannot well write one row twice.
func (s *Server) writeGroup(ctx context.Context, group []commit) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	type key struct{ network, mac string }
	place := map[key]int{}
	var leases []ingot.Lease
	for _, c := range group {
		k := key{c.lease.Network, c.lease.MAC}
		if i, ok := place[k]; ok {
			leases[i] = c.lease
			continue
		}
		place[k] = len(leases)
		leases = append(leases, c.lease)
	}
	refused, err := s.Leases.CommitLeases(ctx, s.now().Unix(), leases)
	for _, c := range group {
		i := place[key{c.lease.Network, c.lease.MAC}]
		switch {
		case err != nil:
			c.answer <- err
		case slices.Contains(refused, i) || leases[i].Address != c.lease.Address:
			c.answer <- errTaken
		default:
			c.answer <- nil
		}
	}
}

// leaseUntil is when a lease given now ends.
func leaseUntil(n ingot.Network, now time.Time) time.Time { return now.Add(leaseTime(n)) }

// leaseTime is how long a lease on n lasts.
func leaseTime(n ingot.Network) time.Duration {
	if n.LeaseTime <= 0 {
		return time.Hour
	}
	return time.Duration(n.LeaseTime) * time.Second
}
