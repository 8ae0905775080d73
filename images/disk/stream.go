package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// stream reads the whole file from its start, once, going on where it was when the connection breaks. It is an
// io.Reader for one goroutine.
type stream struct {
	ctx context.Context // of the whole write: a Read has no other way to learn of its end
	r   *remote
	m   *meter

	at    int64 // bytes delivered
	body  *response
	fresh bool // something arrived since the last attempt
	try   int
}

// Read delivers the next bytes. io.EOF means the file's end, proven by its size where the server told it.
func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.body == nil {
			if err := s.connect(); err != nil {
				return 0, err
			}
		}
		n, err := s.body.Read(p)
		s.at += int64(n)
		if n > 0 {
			s.fresh = true
			s.m.downloaded(int64(n))
			return n, nil
		}
		if size, _, _ := s.r.known(); errors.Is(err, io.EOF) && (size < 0 || s.at == size) {
			return 0, io.EOF
		}
		if err == nil {
			continue
		}
		s.close()
		if err := s.retry(err); err != nil {
			return 0, err
		}
	}
}

// retry decides whether another attempt is due after cause, and waits for it.
func (s *stream) retry(cause error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if !curable(s.ctx, cause) {
		return cause
	}
	if s.fresh {
		s.fresh, s.try = false, 0
	}
	if s.try++; s.try >= s.r.tries {
		return s.giveUp(cause)
	}
	return s.r.backoff(s.ctx, s.try)
}

// giveUp names the error after the last attempt.
func (s *stream) giveUp(cause error) error {
	size, _, _ := s.r.known()
	where := fmt.Sprintf("at byte %d of %d of %s, after %d attempts", s.at, size, s.r.src.redacted(), s.try)
	switch {
	case errors.Is(cause, ErrStalled):
		return fmt.Errorf("%w: nothing came for %v %s", ErrStalled, s.r.stall, where)
	case errors.Is(cause, io.EOF), errors.Is(cause, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: the connection ended %s", ErrTruncated, where)
	case errors.Is(cause, ErrHTTP):
		return fmt.Errorf("%w %s", cause, where)
	}
	return fmt.Errorf("%w: the connection failed %s: %w", ErrHTTP, where, cause)
}

// connect opens the file at the place where the stream is. A server without ranges starts over: then what is already
// known is read and dropped, and the checksum at the end tells whether it was the same.
func (s *stream) connect() error {
	for {
		body, err := s.r.get(s.ctx, s.at, -1)
		if err == nil {
			s.body = body
			_, err = io.CopyN(io.Discard, body, s.at-body.off)
			if err == nil {
				return nil
			}
			s.close()
		}
		if err := s.retry(err); err != nil {
			return err
		}
	}
}

func (s *stream) close() {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
}

// readRange reads all of p at off by one ranged request, repeated when the connection breaks.
func (r *remote) readRange(ctx context.Context, p []byte, off int64) error {
	s := &stream{ctx: ctx, r: r, at: off}
	for {
		err := r.readOnce(ctx, p, off)
		if err == nil {
			return nil
		}
		if err := s.retry(err); err != nil {
			return err
		}
	}
}

func (r *remote) readOnce(ctx context.Context, p []byte, off int64) error {
	body, err := r.get(ctx, off, off+int64(len(p)))
	if err != nil {
		return err
	}
	defer body.Close()
	if !body.ranged {
		return fmt.Errorf("%w: %s ignores them, and qcow2 needs them; serve the image as raw (also gzip, xz or zstd) or from another server",
			ErrNoRanges, r.src.redacted())
	}
	if _, err := io.ReadFull(body, p); err != nil {
		return err
	}
	// Reading the end of the body lets the connection be used again.
	_, err = io.CopyN(io.Discard, body, 1)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
