package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
)

// console is a machine's serial port: all that the machine says goes into the log of its boot and to whoever watches,
// and what watchers type goes to the machine. It outlives the machine's processes.
type console struct {
	dir, name string // logs are DIR/NAME.serial.N.log, N counting boots from 1

	mu       sync.Mutex
	boots    int
	log      *os.File
	input    io.Writer // of the running machine; nil while it is off
	watchers map[*watcher]struct{}
}

// watcherQueue is how many pieces of output a slow watcher may be behind before it misses some: nobody may hold up the
// machine.
const watcherQueue = 1024

// watcher is one reader of a console.
type watcher struct {
	from   *console
	pieces chan []byte
	rest   []byte
	gone   chan struct{}
	once   sync.Once
}

// begin opens the log of another boot; input is where typed text goes.
func (c *console) begin(input io.Writer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	log, err := os.Create(c.logFile(c.boots + 1))
	if err != nil {
		return fmt.Errorf("cannot keep the serial log of %s: %w", c.name, err)
	}
	c.boots++
	c.log, c.input = log, input
	return nil
}

// end closes the log of the boot that is over.
func (c *console) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log != nil {
		_ = c.log.Close()
	}
	c.log, c.input = nil, nil
}

func (c *console) logFile(boot int) string {
	return filepath.Join(c.dir, fmt.Sprintf("%s.serial.%d.log", c.name, boot))
}

// logs are the files of all boots, oldest first.
func (c *console) logs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	files := make([]string, 0, c.boots)
	for boot := 1; boot <= c.boots; boot++ {
		files = append(files, c.logFile(boot))
	}
	return files
}

// Write takes what the machine says.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log != nil {
		if _, err := c.log.Write(p); err != nil {
			return 0, err
		}
	}
	for w := range c.watchers {
		select {
		case w.pieces <- append([]byte(nil), p...):
		default:
		}
	}
	return len(p), nil
}

// attach starts watching.
func (c *console) attach() *watcher {
	w := &watcher{from: c, pieces: make(chan []byte, watcherQueue), gone: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watchers == nil {
		c.watchers = map[*watcher]struct{}{}
	}
	c.watchers[w] = struct{}{}
	return w
}

// Read gives what the machine says from now on.
func (w *watcher) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		select {
		case w.rest = <-w.pieces:
		case <-w.gone:
			return 0, io.EOF
		}
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// Write types text; while the machine is off it is lost, as on a real line.
func (w *watcher) Write(p []byte) (int, error) {
	w.from.mu.Lock()
	input := w.from.input
	w.from.mu.Unlock()
	if input != nil {
		_, _ = input.Write(p) // a machine that ends meanwhile loses it too
	}
	return len(p), nil
}

// Close stops watching.
func (w *watcher) Close() error {
	w.once.Do(func() {
		w.from.mu.Lock()
		delete(w.from.watchers, w)
		w.from.mu.Unlock()
		close(w.gone)
	})
	return nil
}

// serve lets clients of a socket watch and type, until ctx ends.
func (c *console) serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group errgroup.Group
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	for {
		conn, err := listener.Accept()
		if err != nil {
			cancel()
			if errors.Is(err, net.ErrClosed) {
				err = nil
			}
			return errors.Join(err, group.Wait())
		}
		group.Go(func() error {
			c.converse(ctx, conn)
			return nil
		})
	}
}

// converse joins one client with the machine.
func (c *console) converse(ctx context.Context, conn net.Conn) {
	w := c.attach()
	stop := context.AfterFunc(ctx, func() { _ = w.Close() })
	defer stop()
	typed := make(chan struct{})
	go func() {
		defer close(typed)
		_, _ = io.Copy(w, conn)
		_ = w.Close()
	}()
	_, _ = io.Copy(conn, w)
	_ = conn.Close()
	<-typed
}
