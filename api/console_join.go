package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// How people sit at a console.
const (
	consoleWrite  = 30 * time.Second // a client that takes no more for this long is cut off
	consoleLook   = 15 * time.Second // between pings, and looks whether the client may still be here
	consoleIdle   = 30 * time.Minute // without a key pressed
	consoleTyping = 64 << 10         // most bytes of one message
)

// joinConsole is GET /v1/nodes/{node}/console/serial, which Ironic has not: the node's serial console through a WebSocket
// (RFC 6455), in binary messages both ways. The console must be enabled, and one has it at a time: ?force=true takes it
// over. What goes wrong is said before the protocol is changed.
func joinConsole(r *request) (response, error) {
	a := r.args("force")
	force := a.flag("force")
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return response{}, ingot.Errorf(ingot.Invalid, "This path is a WebSocket: ask for it with Upgrade: websocket.")
	}
	machine, err := r.api.Consoles.OpenConsole(r.Context(), node, force != nil && *force)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	s := &sitting{r: r, node: node, machine: machine, said: newBacklog()}
	return response{stream: s.run}, nil
}

// sitting is one person at a console.
type sitting struct {
	r       *request
	node    ingot.Node
	machine io.ReadWriteCloser
	socket  *websocket.Conn
	said    *backlog
	typed   atomic.Int64 // when a key was last pressed, in seconds
}

func (s *sitting) run(w http.ResponseWriter) {
	defer s.machine.Close()                              //nolint:errcheck // there is nobody to tell
	socket, err := websocket.Accept(w, s.r.Request, nil) // it refuses pages of other sites, and answers for itself
	if err != nil {
		return
	}
	defer socket.CloseNow() //nolint:errcheck // it is closed with a reason already where that matters
	socket.SetReadLimit(consoleTyping)
	s.socket = socket
	s.typed.Store(s.r.api.Clock.now().Unix())
	s.log("joined")
	group, ctx := errgroup.WithContext(s.r.Context())
	for _, part := range []func(context.Context) error{s.listen, s.tell, s.obey, s.watch} {
		group.Go(func() error {
			err := part(ctx)
			var end ended
			if errors.As(err, &end) { // said now: a socket whose reader gives up is cut off
				_ = socket.Close(end.status, end.Error())
			}
			return err
		})
	}
	group.Go(func() error { // the machine's reads know no context
		<-ctx.Done()
		return s.machine.Close()
	})
	s.log("left", slog.String("why", group.Wait().Error()))
}

// ended is an end with a reason for the client.
type ended struct {
	status websocket.StatusCode
	reason string
}

func (e ended) Error() string { return e.reason }

// listen keeps what the machine says. It never waits for the client: a machine must not be held up by who looks at it.
func (s *sitting) listen(context.Context) error {
	buffer := make([]byte, 4096)
	for {
		n, err := s.machine.Read(buffer)
		s.said.add(buffer[:n])
		if err != nil {
			s.said.end()
			return nil //nolint:nilerr // tell ends when the client has all of it
		}
	}
}

// tell sends it.
func (s *sitting) tell(ctx context.Context) error {
	for {
		text, err := s.said.next(ctx)
		if err != nil {
			return err
		}
		if text == nil {
			return ended{websocket.StatusNormalClosure, "the console was closed: the machine went off, or somebody else took it over"}
		}
		if err := s.send(ctx, text); err != nil {
			return err
		}
	}
}

func (s *sitting) send(ctx context.Context, text []byte) error {
	ctx, cancel := context.WithTimeout(ctx, consoleWrite)
	defer cancel()
	return s.socket.Write(ctx, websocket.MessageBinary, text)
}

// obey types what the client sends.
func (s *sitting) obey(ctx context.Context) error {
	for {
		_, keys, err := s.socket.Read(ctx)
		if err != nil {
			return err
		}
		s.typed.Store(s.r.api.Clock.now().Unix())
		if _, err := s.machine.Write(keys); err != nil {
			return ended{websocket.StatusGoingAway, "the machine takes no more keys"}
		}
	}
}

// watch ends the sitting when the console was disabled, or nobody has typed for long.
func (s *sitting) watch(ctx context.Context) error {
	for s.r.api.Clock.wait(ctx, consoleLook) {
		ping, cancel := context.WithTimeout(ctx, consoleLook)
		err := s.socket.Ping(ping)
		cancel()
		if err != nil {
			return err
		}
		now, err := s.r.api.Nodes.Node(ctx, s.node.UUID)
		switch {
		case ingot.CodeOf(err) == ingot.NotFound, err == nil && !now.ConsoleEnabled:
			return ended{websocket.StatusPolicyViolation, "the console was disabled"}
		case err == nil && !s.r.may("node:get_console", holderOf(&now)):
			return ended{websocket.StatusPolicyViolation, "the node is no longer yours to see"}
		case s.r.api.Clock.now().Unix()-s.typed.Load() > int64(consoleIdle.Seconds()):
			return ended{websocket.StatusPolicyViolation, "nobody has typed for " + consoleIdle.String()}
		}
	}
	return ctx.Err()
}

// log writes who was at the console: what they typed is not in any request.
func (s *sitting) log(what string, more ...slog.Attr) { s.r.atConsole(s.node.UUID, what, more...) }

func (r *request) atConsole(node, what string, more ...slog.Attr) {
	log := r.api.Audit
	if log == nil {
		log = r.api.log()
	}
	log.LogAttrs(r.Context(), slog.LevelInfo, "console "+what, append([]slog.Attr{
		slog.String("user", r.who.User), slog.String("project", r.who.Project), slog.String("from", r.from()),
		slog.String("request", r.id), slog.String("node", node),
	}, more...)...)
}
