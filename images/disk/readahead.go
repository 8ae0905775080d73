package disk

import (
	"context"
	"io"
)

// readahead lets the download go on while its bytes are hashed, decoded and written: one goroutine runs fill, another
// reads. It holds blocks of 256 KiB, at most depth of them.
type readahead struct {
	ctx  context.Context
	full chan block
	free chan []byte
	cur  block
	rest []byte
}

// block is a piece of the file, or the error that ended it (io.EOF at its end).
type block struct {
	data []byte
	err  error
}

const (
	aheadBlock = 256 << 10
	aheadDepth = 16
)

func newReadahead(ctx context.Context) *readahead {
	ra := &readahead{ctx: ctx, full: make(chan block, aheadDepth), free: make(chan []byte, aheadDepth)}
	for range aheadDepth {
		ra.free <- make([]byte, aheadBlock)
	}
	return ra
}

// fill reads r to its end. A failure of r is handed to the reader, not returned.
func (ra *readahead) fill(r io.Reader) error {
	for {
		var buf []byte
		select {
		case buf = <-ra.free:
		case <-ra.ctx.Done():
			return context.Cause(ra.ctx)
		}
		// Full blocks: small reads off the network would cost a hand-over each.
		n, err := io.ReadFull(r, buf[:aheadBlock])
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		select {
		case ra.full <- block{buf[:n], err}:
		case <-ra.ctx.Done():
			return context.Cause(ra.ctx)
		}
		if err != nil {
			return nil
		}
	}
}

// Read is for one goroutine.
func (ra *readahead) Read(p []byte) (int, error) {
	for len(ra.rest) == 0 {
		if ra.cur.err != nil {
			return 0, ra.cur.err
		}
		if ra.cur.data != nil {
			ra.free <- ra.cur.data
			ra.cur.data = nil
		}
		select {
		case ra.cur = <-ra.full:
			ra.rest = ra.cur.data
		case <-ra.ctx.Done():
			return 0, context.Cause(ra.ctx)
		}
	}
	n := copy(p, ra.rest)
	ra.rest = ra.rest[n:]
	return n, nil
}
