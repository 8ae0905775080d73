//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"errors"
	"io"
	"sync"

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
		s, err := c.NewStream(0)
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

// console is a stream that people read and write: it keeps its connection in use until it is closed.
type console struct {
	session *session

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
	joined := &console{session: s}
	_, err = await(ctx, l, func() (struct{}, error) {
		stream, err := open(s.conn)
		if err != nil {
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

// Read gives what the machine says; it waits until it says something.
func (c *console) Read(p []byte) (int, error) {
	return c.call(func() (int, error) { return c.stream.Recv(p) })
}

// Write types for the machine.
func (c *console) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := c.call(func() (int, error) { return c.stream.Send(p[done:]) })
		if err != nil {
			return done, err
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
	return max(n, 0), err
}

// Close leaves the console. Reads that wait end.
func (c *console) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	open := c.stream != nil
	c.mu.Unlock()
	if open && !again {
		c.end()
	}
	return nil
}

// end takes the stream down. One that the other side has ended cannot be aborted, and need not be.
func (c *console) end() {
	_ = c.stream.Abort()
	c.calls.Wait()
	free(c.stream)
	c.session.release()
}
