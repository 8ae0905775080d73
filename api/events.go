package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// EventStore is what the event stream, and those who add to it, need of the store.
type EventStore interface {
	// Events gives up to limit events after the ID, in order, and the ID to go on from: everything up to it was given or
	// never will be. A negative after gives no events, only where to begin for what is new.
	Events(ctx context.Context, after int64, limit int) ([]ingot.Event, int64, error)
	// EventsChanged is closed when there may be new events: a hint, which may be lost.
	EventsChanged() <-chan struct{}
	// AppendEvents writes events that belong to no other change.
	AppendEvents(ctx context.Context, events ...ingot.Event) error
}

// How a stream behaves: it looks again at once when the store says so and at least every poll, and says something every
// keepAlive, so that neither side takes the other for dead.
const (
	eventBatch     = 100
	eventPoll      = time.Second
	eventKeepAlive = 15 * time.Second
	eventWrite     = 30 * time.Second // a client that takes no more for this long is cut off
)

// eventFilter is what a client wants to hear of.
type eventFilter struct {
	node  string
	types []string // "node.state", or "node." for all that start so
	// project confines the stream to nodes that it owns or leases when an event is sent; "" hears of all.
	project string
}

func (f eventFilter) wants(e *ingot.Event) bool {
	return (f.node == "" || f.node == e.Node) && (len(f.types) == 0 || slices.ContainsFunc(f.types, func(t string) bool {
		return t == e.Type || strings.HasSuffix(t, ".") && strings.HasPrefix(e.Type, t)
	}))
}

// streamEvents is GET /v1/events, which Ironic has not: server-sent events (WHATWG HTML, section 9.2). It goes on after
// Last-Event-ID or ?after=, or with what comes next. ?node= and ?type= choose.
func streamEvents(r *request) (response, error) {
	a := r.args("after", "node", "type")
	filter := eventFilter{types: a.list("type")}
	named := a.ident("node")
	after, given := a.text("after"), a.has("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		after, given = id, true // a client that reconnects repeats its first URL: its header is newer
	}
	if a.err != nil {
		return response{}, a.err
	}
	last, err := strconv.ParseInt(after, 10, 64)
	if given && err != nil {
		return response{}, ingot.Errorf(ingot.Invalid, "Expected an integer for after: %s", after)
	}
	if !given || last < 0 {
		if _, last, err = r.api.Events.Events(r.Context(), -1, 1); err != nil {
			return response{}, err
		}
	}
	if filter.project, err = r.scope(""); err != nil {
		return response{}, err
	}
	if named != "" && r.api.Nodes != nil {
		// Browsers cannot name a version here, so names work in all of them.
		node, err := r.api.Nodes.Node(r.Context(), named)
		if ingot.CodeOf(err) == ingot.NotFound || err == nil && !r.may("node:get", holderOf(&node)) {
			err = errNoNode(named)
		}
		if err != nil {
			return response{}, err
		}
		named = node.UUID
	}
	filter.node = named
	s := eventStream{r: r, filter: filter, last: last}
	return response{stream: s.run}, nil
}

// eventStream is one client listening.
type eventStream struct {
	r      *request
	filter eventFilter
	last   int64
	w      http.ResponseWriter
	quiet  time.Time // when something was last said
}

func (s *eventStream) run(w http.ResponseWriter) {
	s.w = w
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	// An ID without data: a client that only wants to know where the stream stands has it, and goes on from there later.
	if err := s.say(fmt.Sprintf(": listening\nid: %d\n\n", s.last)); err != nil {
		return
	}
	for {
		changed := s.r.api.Events.EventsChanged()
		more, err := s.catchUp()
		switch {
		case err != nil && s.r.Context().Err() == nil:
			s.r.api.log().WarnContext(s.r.Context(), "event stream ended", "request", s.r.id, "error", err)
			return
		case err != nil:
			return
		case !more && !s.rest(changed):
			return
		}
	}
}

// catchUp sends what is new; more says that there may be more at once.
func (s *eventStream) catchUp() (more bool, err error) {
	events, next, err := s.r.api.Events.Events(s.r.Context(), s.last, eventBatch)
	if err != nil {
		return false, err
	}
	var text strings.Builder
	seen := map[string]bool{}
	for i := range events {
		e := &events[i]
		if !s.filter.wants(e) || !s.sees(e.Node, seen) {
			continue
		}
		data, err := json.Marshal(e)
		if err != nil {
			return false, fmt.Errorf("cannot encode event %d: %w", e.ID, err)
		}
		fmt.Fprintf(&text, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Type, data)
	}
	if text.Len() == 0 && s.r.api.Clock.now().Sub(s.quiet) >= eventKeepAlive {
		text.WriteString(": still here\n\n")
	}
	if text.Len() > 0 {
		err = s.say(text.String())
	}
	s.last = next
	return len(events) == eventBatch, err
}

// sees says whether the client may hear of a node as it is now; seen are the verdicts of this batch.
func (s *eventStream) sees(node string, seen map[string]bool) bool {
	if s.filter.project == "" {
		return true
	}
	verdict, known := seen[node]
	if !known && node != "" && s.r.api.Nodes != nil {
		n, err := s.r.api.Nodes.Node(s.r.Context(), node)
		verdict = err == nil && s.r.may("node:get", holderOf(&n))
	}
	seen[node] = verdict
	return verdict
}

// say writes and flushes, within a deadline: a client that stops reading must not hold a connection for ever.
func (s *eventStream) say(text string) error {
	control := http.NewResponseController(s.w)
	_ = control.SetWriteDeadline(time.Now().Add(eventWrite)) // not every writer has deadlines (tests)
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	s.quiet = s.r.api.Clock.now()
	return control.Flush()
}

// rest waits for a hint or the next poll; false when the client has gone.
func (s *eventStream) rest(changed <-chan struct{}) bool {
	timer := time.NewTimer(eventPoll)
	defer timer.Stop()
	select {
	case <-s.r.Context().Done():
		return false
	case <-changed:
		return true
	case <-timer.C:
		return true
	}
}
