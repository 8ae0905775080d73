package chaos

import (
	"fmt"

	"github.com/ingot-metal/ingot"
)

// moves: each state follows from the one before, by the table's verbs or by the engine's own ways.
func moves(s *story) []Violation {
	var found []Violation
	for i, m := range s.moves {
		if i > 0 && s.moves[i-1].to != m.from {
			found = append(found, s.violation(BadMove, "%s: %s -> %s, but the state before was %s", clock(m.at), m.from, m.to, s.moves[i-1].to))
		}
		if begins(m.from, m.to) {
			if !anyVerb(m.from, m.to) {
				found = append(found, s.violation(BadMove, "%s: %s -> %s, which no verb does", clock(m.at), m.from, m.to))
			}
			continue
		}
		if !engineMoves(m.from, m.to) {
			found = append(found, s.violation(BadMove, "%s: %s -> %s", clock(m.at), m.from, m.to))
		}
	}
	return found
}

func anyVerb(from, to ingot.State) bool {
	for _, row := range ingot.Transitions() {
		if row.From == from && row.To == to {
			return true
		}
	}
	return false
}

// engineMoves says whether an operation may go from a busy state to another: to wait and to work again, to what it was
// for, or to its failure.
func engineMoves(from, to ingot.State) bool {
	work := ingot.WorkOf(from)
	switch {
	case to == ingot.FailureOf(from), to == work, to == ingot.WaitOf(work), to == ingot.HoldOf(work):
		return true
	case work == ingot.Deleting && to == ingot.Cleaning:
		return true
	}
	for _, row := range ingot.Transitions() {
		if row.Kind != "" && row.To == work && row.Target == to {
			return true
		}
	}
	return work == ingot.Cleaning && to == ingot.Available
}

// reads: what clients were told of a node is the record's, in the record's order, and never older than what they had been
// told before, whichever API told them.
func reads(s *story) []Violation {
	if len(s.moves) == 0 {
		return nil
	}
	chain := []ingot.State{s.moves[0].from}
	for _, m := range s.moves {
		chain = append(chain, m.to)
	}
	var found []Violation
	at := 0
	for _, read := range s.reads {
		least, why := at, "an earlier read"
		for i, m := range s.moves {
			if m.request >= 0 && s.requests[m.request].Answer == Accepted && !s.requests[m.request].Ended.After(read.Asked) && i+1 > least {
				least, why = i+1, "the accepted "+s.requests[m.request].Verb
			}
		}
		next := least
		for next < len(chain) && chain[next] != read.State {
			next++
		}
		if next == len(chain) {
			found = append(found, s.violation(Contradicted, "read at %s: %q; after %s it was %q, and never that again", clock(read.Answered), read.State, why, chain[least]))
			continue
		}
		at = next
	}
	for _, shown := range s.Shown {
		if last := chain[len(chain)-1]; shown.State != last {
			found = append(found, s.violation(Contradicted, "an API shows %q at the end; the last that was told is %q", shown.State, last))
		}
	}
	return found
}

// streams: who listens all the time hears each event once, in order, and the same as who reads them all in the end.
func streams(heard, again []ingot.Event) []Violation {
	var found []Violation
	for i, e := range heard {
		if i > 0 && heard[i-1].ID >= e.ID {
			found = append(found, Violation{Kind: Contradicted, Node: e.Node, Evidence: fmt.Sprintf("event %d was told after event %d", e.ID, heard[i-1].ID)})
		}
	}
	for _, one := range []struct {
		what string
		of   map[int64]ingot.Event
		in   map[int64]ingot.Event
	}{
		{"was heard, and is not told again", byID(heard), byID(again)},
		{"is told in the end, and was not heard", byID(again), byID(heard)},
	} {
		for id, e := range one.of {
			if _, there := one.in[id]; !there {
				found = append(found, Violation{Kind: Contradicted, Node: e.Node, Evidence: fmt.Sprintf("event %d (%s at %s) %s", id, e.Type, clock(e.At), one.what)})
			}
		}
	}
	return found
}

func byID(events []ingot.Event) map[int64]ingot.Event {
	all := make(map[int64]ingot.Event, len(events))
	for _, e := range events {
		all[e.ID] = e
	}
	return all
}
