package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// Violation is a promise that was broken, with what shows it.
type Violation struct {
	Kind     Kind
	Node     string
	Evidence string
}

// Kind is which promise.
type Kind string

// The kinds.
const (
	Lost         Kind = "an accepted request had no effect"
	Uncalled     Kind = "something was begun that nobody had asked for"
	Endless      Kind = "an operation never ended"
	TwoOutcomes  Kind = "an operation went on or ended again after its outcome"
	BadMove      Kind = "a state followed that the table does not have"
	WrittenTwice Kind = "an image was written twice in one attempt"
	Late         Kind = "an agent was told something for an operation that had ended"
	Unleased     Kind = "a BMC was spoken to outside of the lease"
	NotSo        Kind = "a machine is not as its last operation says"
	Contradicted Kind = "an answer contradicts the record"
	Failing      Kind = "an answer was 500"
	AddressTwice Kind = "an address was promised to two machines"
	Slow         Kind = "what dead conductors had claimed was taken over late"
)

func (v Violation) String() string { return fmt.Sprintf("%s: node %s: %s", v.Kind, v.Node, v.Evidence) }

// Check judges a record. It looks at nothing else.
func Check(r Record) []Violation {
	var found []Violation
	for _, m := range r.Machines {
		s := newStory(r, m)
		judges := []func(*story) []Violation{requestsKept, outcomes, moves, reads}
		if m.BMC != "" {
			judges = append(judges, writes, leased, physical)
		}
		for _, judge := range judges {
			found = append(found, judge(s)...)
		}
	}
	return slices.Concat(found, streams(r.Events, r.Again), addresses(r.Offers), takeovers(r.Takeovers))
}

// story is what belongs to one machine.
type story struct {
	Machine
	ended    time.Time
	requests []Request
	reads    []Read
	grants   []Grant
	events   []ingot.Event
	moves    []move
	asked    []ask // for power
}

// move is a change of state.
type move struct {
	at       time.Time
	from, to ingot.State
	event    int // its place among events
	request  int // the request that it is the beginning of; -1 is none
}

// ask is an accepted change of power.
type ask struct {
	at      time.Time
	target  ingot.PowerTarget
	event   int
	request int
}

func newStory(r Record, m Machine) *story {
	s := &story{Machine: m, ended: r.Ended}
	s.requests = ofNode(r.Requests, func(q Request) bool { return q.Node == m.Node })
	s.reads = ofNode(r.Reads, func(q Read) bool { return q.Node == m.Node })
	s.grants = ofNode(r.Grants, func(g Grant) bool { return g.BMC == m.BMC })
	s.events = ofNode(r.Events, func(e ingot.Event) bool { return e.Node == m.Node })
	for i, e := range s.events {
		switch e.Type {
		case "node.state":
			s.moves = append(s.moves, move{at: e.At, from: ingot.State(text(e, "from")), to: ingot.State(text(e, "to")), event: i, request: -1})
		case "node.power-asked":
			s.asked = append(s.asked, ask{at: e.At, target: ingot.PowerTarget(text(e, "target")), event: i, request: -1})
		}
	}
	s.match()
	return s
}

func ofNode[T any](all []T, mine func(T) bool) []T {
	var some []T
	for _, one := range all {
		if mine(one) {
			some = append(some, one)
		}
	}
	return some
}

func text(e ingot.Event, key string) string { return ingot.Text(e.Data, key) }

// slack is for the time between a reading of the clock and what it stands for.
const slack = 2 * time.Second

// match finds for every beginning the request that it belongs to: one that was under way then and asks for it, an
// accepted one first.
func (s *story) match() {
	taken := map[int]bool{}
	find := func(at time.Time, fits func(Request) bool) int {
		best := -1
		for i, q := range s.requests {
			if taken[i] || q.Answer == Refused || !fits(q) || at.Before(q.Sent.Add(-slack)) || at.After(q.Ended.Add(s.after(q))) {
				continue
			}
			if best < 0 || s.requests[best].Answer != Accepted && q.Answer == Accepted {
				best = i
			}
		}
		if best >= 0 {
			taken[best] = true
		}
		return best
	}
	for i := range s.moves {
		m := &s.moves[i]
		if begins(m.from, m.to) {
			m.request = find(m.at, func(q Request) bool { return leads(m.from, ingot.Verb(q.Verb), m.to) })
		}
	}
	for i := range s.asked {
		a := &s.asked[i]
		a.request = find(a.at, func(q Request) bool { target, ok := q.power(); return ok && target == a.target })
	}
}

// after is how long after its answer a request may begin: one without an answer is still carried out by a service that
// was stopped.
func (s *story) after(q Request) time.Duration {
	if q.Answer != Accepted {
		return 2 * time.Minute
	}
	return slack
}

// leads says whether the table has the verb between the states.
func leads(from ingot.State, verb ingot.Verb, to ingot.State) bool {
	row, ok := ingot.Next(from, verb)
	if !ok {
		return false
	}
	if verb == ingot.VerbAbort && from.Busy() {
		return to == ingot.WorkOf(from)
	}
	return row.To == to
}

// begins says whether a move can only be a request's doing.
func begins(from, to ingot.State) bool {
	return !from.Busy() || to == ingot.Deleting
}

// requestsKept: what was accepted was begun, and what was begun had been asked for.
func requestsKept(s *story) []Violation {
	var found []Violation
	begun := map[int]bool{}
	for _, m := range s.moves {
		begun[m.request] = true
		if begins(m.from, m.to) && m.request < 0 {
			found = append(found, s.violation(Uncalled, "%s: %s -> %s", clock(m.at), m.from, m.to))
		}
	}
	for _, a := range s.asked {
		begun[a.request] = true
		if a.request < 0 {
			found = append(found, s.violation(Uncalled, "%s: power %q", clock(a.at), a.target))
		}
	}
	for i, q := range s.requests {
		if q.Answer == Broken {
			found = append(found, s.violation(Failing, "%q, sent %s: %s", q.Verb, clock(q.Sent), q.Said))
		}
		if q.Answer == Accepted && !begun[i] && q.Verb != string(ingot.VerbAbort) {
			found = append(found, s.violation(Lost, "%q, sent %s, accepted %s; %s", q.Verb, clock(q.Sent), clock(q.Ended), s.movesNear(q.Sent)))
		}
	}
	return found
}

// movesNear are the moves around a moment, as evidence.
func (s *story) movesNear(at time.Time) string {
	var near []string
	for _, m := range s.moves {
		if d := m.at.Sub(at).Abs(); d < 30*time.Second {
			near = append(near, fmt.Sprintf("%s %s -> %s", clock(m.at), m.from, m.to))
		}
	}
	return "moves around then: " + strings.Join(near, ", ")
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

func (s *story) violation(kind Kind, format string, args ...any) Violation {
	return Violation{Kind: kind, Node: s.Name, Evidence: fmt.Sprintf(format, args...)}
}

// outcomes: every operation that was begun ended once, and nothing was done for it afterwards.
func outcomes(s *story) []Violation {
	var found []Violation
	ended := map[string]string{}
	last := map[string]string{}
	var order []string
	for _, e := range s.events {
		id := text(e, "operation")
		if id == "" {
			continue
		}
		if before, over := ended[id]; over {
			found = append(found, s.violation(TwoOutcomes, "operation %s (%s) had ended: %s; then came %s %v", id, text(e, "kind"), before, e.Type, e.Data))
			continue
		}
		if !slices.Contains(order, id) {
			order = append(order, id)
		}
		last[id] = fmt.Sprintf("%s %s %v", clock(e.At), e.Type, e.Data)
		if e.Type == "operation.ended" {
			ended[id] = fmt.Sprintf("%s %s", clock(e.At), text(e, "outcome"))
		}
	}
	for _, id := range order {
		if ended[id] == "" {
			found = append(found, s.violation(Endless, "operation %s; its last event: %s", id, last[id]))
		}
	}
	for _, shown := range s.Shown {
		if shown.State.Busy() {
			found = append(found, s.violation(Endless, "the node is in state %q at the end", shown.State))
			break
		}
	}
	return found
}
