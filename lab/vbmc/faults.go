package vbmc

import (
	"context"
	"sync"
	"time"
)

// Misbehaviour is a set of faults. The zero value is a BMC in good health.
type Misbehaviour struct {
	// DropEvery ignores every nth packet, or breaks every nth HTTP
	// connection; 1 ignores all, 0 none. What is dropped is not journalled.
	DropEvery int
	// Busy answers this many commands with IPMI completion code C0h or HTTP
	// 503 without doing them; negative for all. Opening, describing and
	// closing a session is never busy.
	Busy int
	// LoseReplies does the work of this many commands that change something
	// and then sends no reply; negative for all.
	LoseReplies int
	// Delay holds every reply back; it is cut short when the server stops.
	Delay time.Duration
	// NoSessions refuses new sessions as a BMC without free slots does:
	// RMCP+ status 01h, HTTP 503 on POST of a session.
	NoSessions bool
	// Deaf reads nothing: no reply to any packet, and no answer to any HTTP
	// request until the client gives up.
	Deaf bool
}

// Faults makes a running [Server] misbehave. The zero value is healthy; all
// methods are safe for concurrent use.
type Faults struct {
	mu      sync.Mutex
	current Misbehaviour
	arrived int
}

// Set replaces the faults at once, for packets that arrive from now on.
func (f *Faults) Set(m Misbehaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.current, f.arrived = m, 0
}

// Get returns the faults with their remaining counts.
func (f *Faults) Get() Misbehaviour {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current
}

// dropped counts one arrival and says whether it is to be ignored.
func (f *Faults) dropped() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrived++
	return f.current.Deaf || f.current.DropEvery > 0 && f.arrived%f.current.DropEvery == 0
}

// busy says whether this command is answered with "busy".
func (f *Faults) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.current.Busy)
}

// losesReply says whether the reply to this command is swallowed.
func (f *Faults) losesReply() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return take(&f.current.LoseReplies)
}

// wait holds a reply back for the delay that was asked for.
func (f *Faults) wait(ctx context.Context) {
	delay := f.Get().Delay
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take uses up one of *n; a negative count never runs out.
func take(n *int) bool {
	if *n > 0 {
		*n--
		return true
	}
	return *n < 0
}
