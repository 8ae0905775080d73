//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// SetConsole looks whether there is a console to open or close (ingot.Console): a guest's serial port is always there, and
// it is the node's row that says whether people may join it.
func (g *Guest) SetConsole(ctx context.Context, _ bool) error {
	return g.domain(ctx, "look for the console", func(_ *libvirt.Connect, d *libvirt.Domain) error {
		doc, err := stored(d)
		if err != nil {
			return err
		}
		if !doc.hasConsole() {
			return ingot.Errorf(ingot.Unsupported, "guest %s has no serial port", g.node.UUID)
		}
		return nil
	})
}

// ConsoleInfo says how to join the console (ingot.Console): the path of the API's WebSocket, and where on the host its
// screen is while it runs.
func (g *Guest) ConsoleInfo(ctx context.Context) (map[string]any, error) {
	return inDomain(ctx, g, "read where the console is", func(_ *libvirt.Connect, d *libvirt.Domain) (map[string]any, error) {
		text, err := d.GetXMLDesc(0)
		if err != nil {
			return nil, err
		}
		doc, err := parse(text)
		if err != nil {
			return nil, err
		}
		info := map[string]any{"type": "websocket", "url": "/v1/nodes/" + g.node.UUID + "/console/serial"}
		if at := doc.vnc(); at != "" {
			info["vnc"] = at
		}
		return info, nil
	})
}

// OpenConsole joins the serial console (ingot.SerialConsole).
func (g *Guest) OpenConsole(ctx context.Context, force bool) (io.ReadWriteCloser, error) {
	host, err := g.host(ctx, g.node.ParentNode)
	if err != nil {
		return nil, err
	}
	l, err := g.hosts.link(host.NodeUUID, host.URI)
	if err != nil {
		return nil, err
	}
	flags := libvirt.DOMAIN_CONSOLE_SAFE
	if force {
		flags = libvirt.DOMAIN_CONSOLE_FORCE
	}
	return l.stream(ctx, "open the console", func(c *libvirt.Connect) (*libvirt.Stream, error) {
		d, err := g.lookup(c)
		if err != nil {
			return nil, err
		}
		defer free(d)
		if power, err := powerOf(d); err != nil || power != ingot.PowerOn {
			return nil, errors.Join(err, ingot.Errorf(ingot.Conflict, "guest %s is off, and so is its console", g.node.UUID))
		}
		s, err := c.NewStream(libvirt.STREAM_NONBLOCK)
		if err != nil {
			return nil, err
		}
		if err := d.OpenConsole("", s, flags); err != nil {
			free(s)
			if is(err, libvirt.ERR_OPERATION_FAILED) && !force {
				err = ingot.Errorf(ingot.Conflict, "somebody is at the console of guest %s already: join with force to take it over (%w)", g.node.UUID, plain(err))
			}
			return nil, err
		}
		return s, nil
	})
}

// wouldBlock is what libvirt answers on a stream that is not to block when there is nothing to read.
const wouldBlock = -2

// consoleLook is how often one who waits for a machine's words looks whether the connection is still there.
const consoleLook = 5 * time.Second

// console is a stream that people read and write: it keeps its connection in use until it is closed.
//
// It must not block in libvirt: a reader there misses what another thread takes off the wire between its look at what has
// come and its sleep (virNetClientStreamRecvPacket, up to at least 9.0), and then sees it only with the machine's next words.
// Events have no such gap: they are said for as long as there is something to read.
type console struct {
	session *session
	come    chan struct{} // capacity 1: there may be something to read
	over    chan struct{} // closed with the console

	mu     sync.Mutex
	stream *libvirt.Stream // nil until it is open
	closed bool
	calls  sync.WaitGroup // in libvirt, which have to come back before the stream is let go of
}

// stream opens a stream on the connection and waits for that no longer than ctx.
func (l *link) stream(ctx context.Context, what string, open func(*libvirt.Connect) (*libvirt.Stream, error)) (*console, error) {
	s, err := l.open(ctx)
	if err != nil {
		return nil, explain(what, l.uri, err)
	}
	joined := &console{session: s, come: make(chan struct{}, 1), over: make(chan struct{})}
	_, err = await(ctx, l, func() (struct{}, error) {
		stream, err := open(s.conn)
		if err != nil {
			s.release()
			return struct{}{}, err
		}
		if err := joined.listen(stream); err != nil {
			_ = stream.Abort()
			free(stream)
			s.release()
			return struct{}{}, err
		}
		joined.begin(stream)
		return struct{}{}, nil
	})
	if err == nil {
		return joined, nil
	}
	_ = joined.Close() // which may be open by now, and nobody would know
	if broken(err) || ctx.Err() != nil {
		l.giveUp(s)
	}
	return nil, explain(what, l.uri, err)
}

// begin has the stream used, unless it was given up while it was being opened.
func (c *console) begin(stream *libvirt.Stream) {
	c.mu.Lock()
	c.stream = stream
	late := c.closed
	c.mu.Unlock()
	if late {
		c.end()
	}
}

// listen has each reader who found nothing woken when there is something. Whoever is woken asks again to be.
func (c *console) listen(stream *libvirt.Stream) error {
	return stream.EventAddCallback(0, func(s *libvirt.Stream, _ libvirt.StreamEventType) {
		_ = s.EventUpdateCallback(0) // first: who asks to be woken from now on is not taken for this one
		select {
		case c.come <- struct{}{}:
		default:
		}
	})
}

// Read gives what the machine says; it waits until it says something. One reads at a time.
func (c *console) Read(p []byte) (int, error) {
	for {
		n, err := c.call(func() (int, error) { return c.stream.Recv(p) })
		if n != wouldBlock || err != nil {
			return n, err
		}
		if err := c.wait(); err != nil {
			return 0, err
		}
	}
}

// wait waits until there may be something to read.
func (c *console) wait() error {
	_, err := c.call(func() (int, error) { return 0, c.stream.EventUpdateCallback(libvirt.STREAM_EVENT_READABLE) })
	if err != nil {
		return err
	}
	look := time.NewTimer(consoleLook)
	defer look.Stop()
	select {
	case <-c.come:
	case <-c.over:
	case <-look.C:
		_, err = c.call(func() (int, error) {
			if alive, err := c.session.conn.IsAlive(); err != nil || !alive {
				return 0, errors.Join(ingot.Errorf(ingot.Unavailable, "the connection to the compute host was lost"), err)
			}
			return 0, nil
		})
	}
	return err
}

// Write types for the machine.
func (c *console) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := c.call(func() (int, error) { return c.stream.Send(p[done:]) })
		if err != nil {
			return done, err
		}
		if n == wouldBlock { // libvirt's client never answers so to who sends: it waits itself
			return done, ingot.Errorf(ingot.Unavailable, "the compute host takes no more keys")
		}
		done += n
	}
	return done, nil
}

func (c *console) call(do func() (int, error)) (int, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return 0, io.EOF
	}
	c.calls.Add(1)
	c.mu.Unlock()
	defer c.calls.Done()
	n, err := do()
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, plain(err)
	}
	return n, err
}

// Close leaves the console. Reads that wait end.
func (c *console) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	if !again {
		close(c.over)
	}
	open := c.stream != nil
	c.mu.Unlock()
	if open && !again {
		c.end()
	}
	return nil
}

// end takes the stream down. One that the other side has ended cannot be aborted, and need not be.
func (c *console) end() {
	_ = c.stream.EventRemoveCallback()
	_ = c.stream.Abort()
	c.calls.Wait()
	free(c.stream)
	c.session.release()
}
