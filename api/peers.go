package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// Peers knows who speaks to machines in this process's place.
type Peers interface {
	// At is how to reach the process that is to speak to a node's machine, and what URLs there begin with; nil is this one.
	// An error of via that wraps a net.OpError of "dial" says that nothing was sent.
	At(ctx context.Context, node ingot.Node) (via http.RoundTripper, base string)
}

// introduction is the header in which a process says on whose behalf it asks another. It is read on the peers' listener
// alone.
const introduction = "Ingot-On-Behalf-Of"

// behalf is what the process that was asked knows of the client.
type behalf struct {
	Who     ingot.Identity
	From    string // the client's address
	Request string // the request's ID
	Base    string // of links
}

// PeerHandler serves other processes of the service, who have proved that they are, on behalf of their clients.
func (a *API) PeerHandler() http.Handler {
	own := *a
	own.Peers = nil
	t := newTables()
	f := own.build(t, own.userRoutes(t), false)
	f.peer = true
	return f
}

// introduced takes the client's place in what another process asks on its behalf.
func (r *request) introduced() error {
	var b behalf
	if err := json.Unmarshal([]byte(r.Header.Get(introduction)), &b); err != nil {
		return ingot.Errorf(ingot.Unauthorized, "this listener is for processes of the service alone: header %s: %w", introduction, err)
	}
	own := *r.Request
	own.RemoteAddr = net.JoinHostPort(b.From, "0")
	r.Request, r.who, r.id, r.base, r.passed = &own, b.Who, b.Request, b.Base, true
	r.held = heldBy(r.who, r.api.ElevatedProject)
	return nil
}

// atMachine has a request about a node's machine answered by the process that is to speak to it. Where that cannot be
// reached, this one does what it can.
func atMachine(h handler) handler { return atMachineOf(func(*ingot.Node) bool { return true }, h) }

// atGuest is atMachine for the nodes that are guests.
func atGuest(h handler) handler { return atMachineOf((*ingot.Node).IsGuest, h) }

func atMachineOf(kind func(*ingot.Node) bool, h handler) handler {
	return func(r *request) (response, error) {
		if r.api.Peers == nil {
			return h(r)
		}
		r.asked = true // the handler will, here or there
		node, err := r.node()
		r.asked = false
		if err != nil || !kind(&node) {
			return h(r) // which has words of its own for it
		}
		via, base := r.api.Peers.At(r.Context(), node)
		if via == nil {
			return h(r)
		}
		res, err := r.passOn(via, base, node.UUID)
		var unsent *net.OpError
		if errors.As(err, &unsent) && unsent.Op == "dial" {
			r.api.log().WarnContext(r.Context(), "cannot reach the conductor that is to speak to a machine; speaking to it from here", "node", node.UUID, "error", err)
			return h(r)
		}
		return res, err
	}
}

// mostPassed bounds an answer that is passed on, in bytes.
const mostPassed = mostLog + 1<<20

// passOn asks another process and gives its answer. A WebSocket lasts longer than this call.
func (r *request) passOn(via http.RoundTripper, base, node string) (response, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	stop := context.AfterFunc(r.Context(), cancel)
	asked, err := r.asPeer(ctx, base)
	if err != nil {
		cancel()
		return response{}, err
	}
	answer, err := via.RoundTrip(asked)
	if err == nil && answer.StatusCode == http.StatusSwitchingProtocols && stop() {
		return response{stream: func(w http.ResponseWriter) { defer cancel(); r.join(w, answer, node) }}, nil
	}
	defer cancel()
	if err != nil {
		return response{}, unanswered(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostPassed))
	if err != nil {
		return response{}, unanswered(err)
	}
	return response{status: answer.StatusCode, stream: func(w http.ResponseWriter) {
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body) // a client that has gone away needs no answer
	}}, nil
}

func unanswered(err error) error {
	return ingot.Errorf(ingot.Unavailable, "cannot pass the request on to the conductor that speaks to the machine: %w", err)
}

// asPeer is the request as another process gets it: for the same path, with the client's introduction in the place of its
// credentials.
func (r *request) asPeer(ctx context.Context, base string) (*http.Request, error) {
	b, err := json.Marshal(behalf{Who: r.who, From: r.from(), Request: r.id, Base: r.publicURL()})
	if err != nil {
		return nil, err
	}
	url := base + r.URL.RawPath
	if r.URL.RawQuery != "" {
		url += "?" + r.URL.RawQuery
	}
	asked, err := http.NewRequestWithContext(ctx, r.Method, url, r.Body)
	if err != nil {
		return nil, err
	}
	asked.Header = r.Header.Clone()
	for _, own := range []string{"Authorization", "Cookie", "X-Auth-Token", "Accept-Encoding"} {
		asked.Header.Del(own)
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		asked.Header.Del("Connection")
		asked.Header.Del("Upgrade")
	}
	asked.Header.Set(introduction, string(b))
	asked.Host, asked.ContentLength = r.Host, r.ContentLength
	if r.ContentLength == 0 {
		asked.Body = http.NoBody
	}
	return asked, nil
}

// join puts the client through to a WebSocket that another process has opened, until either side ends it.
func (r *request) join(w http.ResponseWriter, answer *http.Response, node string) {
	defer answer.Body.Close()
	machine, open := answer.Body.(io.ReadWriteCloser)
	if !open {
		r.writeError(w, unanswered(errors.New("it opened no WebSocket")))
		return
	}
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(http.StatusSwitchingProtocols)
	client, typed, err := http.NewResponseController(w).Hijack()
	if err != nil {
		r.api.log().ErrorContext(r.Context(), "cannot put a client through to a console", "node", node, "error", err)
		return
	}
	defer client.Close()
	_ = client.SetDeadline(time.Time{}) // the conductor watches over it
	r.atConsole(node, "passed on")
	group, ctx := errgroup.WithContext(r.Context())
	group.Go(func() error { _, err := io.Copy(machine, typed); return errors.Join(err, io.EOF) })
	group.Go(func() error { _, err := io.Copy(client, machine); return errors.Join(err, io.EOF) })
	group.Go(func() error {
		<-ctx.Done()
		return errors.Join(client.Close(), machine.Close())
	})
	_ = group.Wait() // that one side has gone is how it ends
	r.atConsole(node, "no longer passed on")
}
