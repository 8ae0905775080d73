package guestbmc

import (
	"context"
	"crypto/rand"
	"net"
	"strconv"

	"github.com/ingot-metal/ingot"
)

// What the API asks.

// GuestBMC shows a guest's virtual BMC, with how it is served here. NotFound: it has none.
func (s *Service) GuestBMC(ctx context.Context, node ingot.Node) (ingot.GuestBMC, error) {
	row, err := s.Records.Get(ctx, node.UUID)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = ingot.Errorf(ingot.NotFound, "Node %s has no virtual BMC.", node.UUID)
	}
	return s.shown(row), err
}

// shown adds what is not kept.
func (s *Service) shown(row ingot.GuestBMC) ingot.GuestBMC {
	row.Address, row.Secure = net.JoinHostPort(s.Host, strconv.Itoa(row.Port)), s.TLS != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	switch runs := s.servers[row.NodeUUID]; {
	case runs == nil:
		row.Problem = "it is being started"
	default:
		row.Problem = runs.problem
	}
	return row
}

// SetGuestBMC gives a guest a virtual BMC, or the one it has another login. Without a password it makes one.
func (s *Service) SetGuestBMC(ctx context.Context, node ingot.Node, username string, password ingot.Secret) (ingot.GuestBMC, error) {
	if password == "" {
		password = ingot.Secret(rand.Text()[:16])
	}
	event := ingot.Event{Type: "node.bmc", Node: node.UUID, Data: map[string]any{"username": username}}
	for {
		row, err := s.Records.Change(ctx, node.UUID, 0, func(b *ingot.GuestBMC) error {
			b.Username, b.Password = username, password
			return nil
		}, event)
		if ingot.CodeOf(err) == ingot.NotFound {
			row = ingot.GuestBMC{NodeUUID: node.UUID, Username: username, Password: password}
			if row.Port, err = s.free(ctx); err != nil {
				return row, err
			}
			err = s.Records.Create(ctx, &row, event)
		}
		if ingot.CodeOf(err) == ingot.Conflict && ctx.Err() == nil {
			continue // somebody else was given the port, or this guest a BMC
		}
		s.nudge()
		return s.shown(row), err
	}
}

// DeleteGuestBMC takes a guest's virtual BMC away.
func (s *Service) DeleteGuestBMC(ctx context.Context, node ingot.Node) error {
	err := s.Records.Delete(ctx, node.UUID, 0, ingot.Event{Type: "node.bmc-deleted", Node: node.UUID})
	if ingot.CodeOf(err) == ingot.NotFound {
		err = ingot.Errorf(ingot.NotFound, "Node %s has no virtual BMC.", node.UUID)
	}
	s.nudge()
	return err
}

// nudge has the store looked into soon.
func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
