// Package console is where the agent's log goes: to whoever looks at the machine's screen or serial line, and into
// memory, so that Ironic can collect it.
package console

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Ring keeps the last Size bytes written to it.
type Ring struct {
	Size int

	mu   sync.Mutex
	data []byte
}

// Write keeps p, and forgets what is older than Size. It never fails.
func (r *Ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data = append(r.data, p...)
	if len(r.data) > 2*r.Size { // copied once in Size bytes, not at each line
		r.data = append(make([]byte, 0, 2*r.Size), r.data[len(r.data)-r.Size:]...)
	}
	return len(p), nil
}

// Dump writes what is kept.
func (r *Ring) Dump(w io.Writer) error {
	r.mu.Lock()
	data := append([]byte(nil), r.data[max(0, len(r.data)-r.Size):]...)
	r.mu.Unlock()
	_, err := w.Write(data)
	return err
}

// Screen is a screen that can be given to somebody else.
type Screen struct {
	To io.Writer

	given atomic.Bool
}

// Give has nothing more written to the screen.
func (s *Screen) Give() { s.given.Store(true) }

// Write writes p, unless the screen was given away.
func (s *Screen) Write(p []byte) (int, error) {
	if s.given.Load() {
		return len(p), nil
	}
	return s.To.Write(p)
}

// Logger logs to screen and ring; a screen that cannot be written to loses nothing else.
func Logger(screen io.Writer, ring *Ring, debug bool) *slog.Logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(&both{screen: screen, ring: ring}, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
				a.Value = slog.StringValue(a.Value.Time().UTC().Format(time.TimeOnly + ".000"))
			}
			return a
		},
	}))
}

type both struct {
	screen io.Writer
	ring   *Ring
}

func (b *both) Write(p []byte) (int, error) {
	_, _ = b.screen.Write(p)
	return b.ring.Write(p)
}
