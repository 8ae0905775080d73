package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Settings are what a run is made of. Everything random comes from the seed.
type Settings struct {
	Dir      string // for what the run writes; its caller's to remove
	Ingot    string // the binary
	Older    string // the binary of a release before, which is the first conductor's until that is first ended; "" is none
	Agent    string // the deploy-agent's binary
	KeyFile  string // of the database's secret
	Database Database
	Relays   []Relay // one for each conductor, which reaches the database through it
	Seed     uint64
	Time     time.Duration // of trouble; then everything is left to come to rest
	Rest     time.Duration // the most that this may take
	Nodes    int
	// RealAgents is how many of the machines run the real agent as a process.
	RealAgents int
	// Fakes is how many of the others are fake-hardware.
	Fakes int
	Log   func(format string, args ...any)
}

// Database is the PostgreSQL of the run.
type Database interface {
	Crash()
	Stop()
	Start()
	Ask(statement string)
	// Fill leaves no room on its disk until Free; false if that cannot be done here.
	Fill() bool
	Free()
}

// Relay stands between a conductor and the database.
type Relay interface {
	Address() string // HOST:PORT
	Pass()
	Cut()
	Swallow()
}

// random gives a part of the run a stream of its own, so that what one does depends on no other's speed.
func (s *Settings) random(part string) *rand.Rand {
	var n uint64
	for _, b := range []byte(part) {
		n = n*1099511628211 + uint64(b)
	}
	return rand.New(rand.NewPCG(s.Seed, n))
}

// between is a random time from least to most.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}

// pause lets d pass; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// await asks until the answer is yes, or fails naming what it waited for.
func await(ctx context.Context, limit time.Duration, what string, yes func() bool) error {
	deadline := time.Now().Add(limit)
	for !yes() {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %v in vain for %s", limit, what)
		}
		if !pause(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}
