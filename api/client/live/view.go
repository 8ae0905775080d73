// Package live shows what goes on with a node while somebody waits for it: for the command line and the lab.
package live

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// View shows how work goes, phase by phase: on a terminal one line that is drawn again and again under those of the
// phases that are over, elsewhere a line for each thing that happens.
type View struct {
	Out      io.Writer
	Terminal bool
	Width    int // columns of the terminal, which a line must not fill; 0 is 80

	mu     sync.Mutex
	phase  string
	since  time.Time
	state  string // of the node
	doing  string // what goes on in the phase
	bytes  string // progress of it
	note   string // what is waited for
	marked string // what the last plain line said
	phases []timed
	stop   chan struct{}
	drawn  chan struct{}
}

// timed is a phase that is over.
type timed struct {
	name string
	took time.Duration
}

// redraw is how often a terminal's line is drawn again.
const redraw = 200 * time.Millisecond

// Begin starts a phase.
func (v *View) Begin(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.phase, v.since, v.state, v.doing, v.bytes, v.note, v.marked = name, time.Now(), "", "", "", "", ""
	if !v.Terminal {
		fmt.Fprintf(v.Out, "== %s\n", name)
		return
	}
	v.stop, v.drawn = make(chan struct{}), make(chan struct{})
	go v.draw(v.stop, v.drawn)
}

// draw keeps the line alive until the phase is over.
func (v *View) draw(stop, drawn chan struct{}) {
	defer close(drawn)
	again := time.NewTicker(redraw)
	defer again.Stop()
	for {
		v.mu.Lock()
		if v.Width == 0 {
			v.Width = 80
		}
		fmt.Fprintf(v.Out, "\r\x1b[K%.*s", v.Width-1, v.lineLocked())
		v.mu.Unlock()
		select {
		case <-stop:
			return
		case <-again.C:
		}
	}
}

// lineLocked is the phase, its time, and what is known: state, step, bytes, what is waited for.
func (v *View) lineLocked() string {
	words := []string{}
	for _, word := range []string{v.state, v.doing, v.bytes, v.note} {
		if word != "" {
			words = append(words, word)
		}
	}
	return fmt.Sprintf("%-8s %6.1f s  %s", v.phase, time.Since(v.since).Seconds(), strings.Join(words, " | "))
}

// End closes the phase that began last.
func (v *View) End(err error) {
	if v.Terminal {
		close(v.stop)
		<-v.drawn
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	took := time.Since(v.since)
	v.phases = append(v.phases, timed{v.phase, took})
	verdict := "done"
	if err != nil {
		verdict = "failed"
	}
	if v.Terminal {
		fmt.Fprintf(v.Out, "\r\x1b[K%-8s %6.1f s  %s\n", v.phase, took.Seconds(), verdict)
		return
	}
	fmt.Fprintf(v.Out, "   %s after %.1f s\n", verdict, took.Seconds())
}

// Say shows what goes on now.
func (v *View) Say(doing string) { v.show(doing, "") }

// State shows the state that a node is in now.
func (v *View) State(state string) {
	if v.Terminal {
		v.mu.Lock()
		v.state, v.bytes, v.note = state, "", "" // the step stays: its event came before
		v.mu.Unlock()
		return
	}
	v.show(state, "")
}

func (v *View) show(doing, bytes string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.doing, v.bytes, v.note = doing, bytes, ""
	if v.Terminal || doing == v.marked {
		return
	}
	v.marked = doing
	fmt.Fprintf(v.Out, "   %6.1f s  %s\n", time.Since(v.since).Seconds(), strings.TrimSpace(doing+" "+bytes))
}

// Waiting shows what is waited for, while nothing is said of how far it is. Elsewhere than on a terminal it is a line for
// each step.
func (v *View) Waiting(note string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bytes != "" || note == v.note {
		return
	}
	again := v.note != ""
	v.note = note
	if !v.Terminal && !again {
		fmt.Fprintf(v.Out, "   %6.1f s  %s\n", time.Since(v.since).Seconds(), note)
	}
}

// Follow shows a node's events until ctx ends.
func (v *View) Follow(ctx context.Context, api *client.Client, node string) {
	v.FollowAs(ctx, api, client.EventQuery{Node: node}, "")
}

// FollowAs is Follow from an event on, and for one of several nodes: the label says whose event it is.
func (v *View) FollowAs(ctx context.Context, api *client.Client, query client.EventQuery, label string) {
	for ctx.Err() == nil {
		for e, err := range api.Events(ctx, query) {
			if err != nil {
				break
			}
			query.After = &e.ID
			v.event(e, label)
		}
		pause := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// event turns an event into words.
func (v *View) event(e ingot.Event, label string) {
	text := func(key string) string { return ingot.Text(e.Data, key) }
	number := func(key string) float64 { n, _ := e.Data[key].(float64); return n }
	if label != "" {
		label += ": "
	}
	switch e.Type {
	case "node.state":
		if label == "" {
			v.State(text("to"))
			return
		}
		v.Say(label + text("to"))
	case "node.power":
		v.Say(label + text("to"))
	case "node.boot":
		v.Say(label + text("what"))
	case "operation.step":
		if step := text("step"); step != "" {
			v.Say(label + text("kind") + ": " + step)
		}
	case "node.progress":
		v.show(label+text("command")+": "+text("phase"), amount(number("done"), number("total"), number("rate")))
	}
}

// amount is how far something is: 12 of 300 MB, 25 MB/s.
func amount(done, total, rate float64) string {
	words := fmt.Sprintf("%.0f MB", done/1e6)
	if total > 0 {
		words = fmt.Sprintf("%.0f of %.0f MB", done/1e6, total/1e6)
	}
	if rate > 0 {
		words += fmt.Sprintf(", %.0f MB/s", rate/1e6)
	}
	return words
}

// Table is the time of each phase, and of all.
func (v *View) Table() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var b strings.Builder
	var all time.Duration
	fmt.Fprintf(&b, "\n%-10s %8s\n", "phase", "seconds")
	for _, p := range v.phases {
		fmt.Fprintf(&b, "%-10s %8.1f\n", p.name, p.took.Seconds())
		all += p.took
	}
	fmt.Fprintf(&b, "%-10s %8.1f\n", "all", all.Seconds())
	return b.String()
}
