package vbmc

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/hal"
	"github.com/bougou/go-ipmi/pkg/types"
)

// solSender pushes console output to the client that opened the console.
func (i *ipmiServer) solSender(session *bmc.Session, instance *bmc.SOLInstance) bmc.SOLSendFunc {
	return func(output *types.SOLPayloadPacket) error {
		if i.server.Faults.Get().Deaf {
			return nil
		}
		data := sealed(session, types.PayloadTypeSOL, instance.OutboundEncrypted(), output.Pack())
		if data == nil {
			return errors.New("cannot encrypt console output")
		}
		_, err := i.conn.WriteTo(data, session.GetAddr())
		return err
	}
}

// solReply takes a client's keystrokes and acknowledgements (IPMI section 15.11).
func (i *ipmiServer) solReply(ctx context.Context, session *bmc.Session, payload []byte) []byte {
	instance := i.bmc.SOL.InstanceBySession(session.BMCID)
	if instance == nil {
		return nil
	}
	var input types.SOLPayloadPacket
	if err := input.Unpack(payload); err != nil {
		return nil
	}
	output := i.bmc.SOL.ProcessPacket(ctx, session.BMCID, &input)
	if output == nil {
		return nil
	}
	return sealed(session, types.PayloadTypeSOL, instance.OutboundEncrypted(), output.Pack())
}

// solPort is a machine's serial port as go-ipmi wants it.
type solPort struct{ port SerialConsole }

// Open attaches to the port.
func (p *solPort) Open(ctx context.Context) (hal.ConsoleConn, error) {
	stream, err := p.port.OpenConsole(ctx)
	if err != nil {
		return nil, err
	}
	c := &solStream{stream: stream, keys: make(chan []byte, solKeys)}
	c.pumps.Go(c.read)
	c.pumps.Go(c.write)
	return c, nil
}

const (
	// solBacklog bounds the output kept for a client that does not fetch it;
	// older output is lost, as on a real serial line.
	solBacklog = 64 << 10
	// solKeys bounds the packets of keystrokes on their way to the machine.
	solKeys = 64
)

// solStream makes a blocking stream non-blocking, which go-ipmi needs: it
// reads and writes while it holds the console's lock.
type solStream struct {
	stream io.ReadWriteCloser
	keys   chan []byte
	pumps  sync.WaitGroup

	mu     sync.Mutex
	output []byte
	err    error
	closed bool
}

// read collects the machine's output until the stream ends.
func (c *solStream) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := c.stream.Read(buffer)
		c.mu.Lock()
		c.output = append(c.output, buffer[:n]...)
		if over := len(c.output) - solBacklog; over > 0 {
			c.output = c.output[over:]
		}
		if err != nil {
			c.err = err
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// write sends keystrokes to the machine until the stream is closed.
func (c *solStream) write() {
	for keys := range c.keys {
		if _, err := c.stream.Write(keys); err != nil {
			c.mu.Lock()
			c.err = err
			c.mu.Unlock()
		}
	}
}

// ReadAvailable moves output into p without waiting.
func (c *solStream) ReadAvailable(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.output) == 0 {
		return 0, c.err
	}
	n := copy(p, c.output)
	c.output = c.output[n:]
	return n, nil
}

// Write queues keystrokes; 0 bytes taken makes the client send them again.
func (c *solStream) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.err != nil {
		return 0, c.err
	}
	select {
	case c.keys <- append([]byte(nil), p...):
		return len(p), nil
	default:
		return 0, nil
	}
}

// SendBreak is refused: the stream has no line to break.
func (c *solStream) SendBreak(context.Context) error { return hal.ErrNotSupported }

// Close ends both directions.
func (c *solStream) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	close(c.keys)
	c.mu.Unlock()
	err := c.stream.Close()
	c.pumps.Wait()
	return err
}
