package ingot

import (
	"fmt"
	"strings"
	"time"
)

// Claimer is the conductor that asks for work: it gets that of the nodes of its group.
type Claimer struct {
	Hostname string // the claimer on the wire: reservation and conductor
	Process  string // random for each process start; only whose row of conductors is alive and its own may claim. "" is not asked
	Group    string // conductor_group of the nodes that it works on
	Share    Share  // the nodes that it is to prefer
}

// Share is a part of the nodes of a conductor group that one of its conductors prefers: the Index-th of Of equal parts of
// all UUIDs, by their last digits, which are random where UUIDs are. The zero Share is all.
type Share struct{ Index, Of int }

// shareDigits are the digits of a UUID that a share goes by: from this byte on.
const shareDigits = 32

// Bounds are the first UUID ending of the share and the first one after it, as text.
func (s Share) Bounds() (from, to string) {
	if s.Of <= 1 {
		return "", "g"
	}
	if to = "g"; s.Index+1 < s.Of {
		to = fmt.Sprintf("%04x", (s.Index+1)<<16/s.Of)
	}
	return fmt.Sprintf("%04x", s.Index<<16/s.Of), to
}

// Has says whether a node is in the share.
func (s Share) Has(uuid string) bool {
	if s.Of <= 1 || len(uuid) <= shareDigits {
		return true
	}
	from, to := s.Bounds()
	end := strings.ToLower(uuid[shareDigits:])
	return from <= end && end < to
}

// Takeover is what was put back of a conductor that is dead.
type Takeover struct {
	Hostname   string
	Process    string
	Silent     time.Duration // since its last beat
	Operations int
}
