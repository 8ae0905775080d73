package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot/images/format"
)

// raw copies a raw image, compressed or not: download, hash and decode, and write run as three stages.
func (j *job) raw(ctx context.Context) (written, error) {
	g, inner := errgroup.WithContext(ctx)
	down := &stream{ctx: inner, r: j.remote, m: j.m}
	defer down.close()
	if err := down.connect(); err != nil {
		return written{}, err
	}
	ahead := newReadahead(inner)
	file := &hashing{r: ahead, h: j.hash}
	pipe := &rawPipe{job: j, ctx: inner, free: make(chan []byte, 4), full: make(chan []byte, 4)}
	for range cap(pipe.free) {
		pipe.free <- make([]byte, batch)
	}
	g.Go(func() error { return ahead.fill(down) })
	g.Go(func() error { return pipe.decode(file) })
	g.Go(func() error { return pipe.write() })
	if err := g.Wait(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return written{}, err
	}
	return written{sink: pipe.sink, image: pipe.size, file: file.n}, nil
}

// hashing hashes what is read through it.
type hashing struct {
	r io.Reader
	h io.Writer
	n int64
}

func (t *hashing) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.h.Write(p[:n]) // a hash never fails
	t.n += int64(n)
	return n, err
}

// rawPipe hands decoded batches from the decoding stage to the writing one. Every batch but the last is full.
type rawPipe struct {
	*job
	ctx        context.Context
	free, full chan []byte
	sink       *sink
	size       int64 // of the image, once it has been read
}

// decode reads the image to its end and the file to its own end, behind which a decoder may leave something.
func (p *rawPipe) decode(file *hashing) error {
	image, release, err := decoded(p.src.Compression, file)
	if err != nil {
		return p.blame(err, file)
	}
	defer release()
	for first := true; ; first = false {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
		n, err := io.ReadFull(image, buf[:batch])
		ended := errors.Is(err, io.EOF) || err == io.ErrUnexpectedEOF
		if err != nil && !ended {
			return p.blame(err, file)
		}
		if first {
			if err := p.begin(buf[:n], ended, image); err != nil {
				return err
			}
		}
		p.size += int64(n)
		if err := p.fits(p.size); err != nil {
			return err
		}
		if n > 0 {
			select {
			case p.full <- buf[:n]:
			case <-p.ctx.Done():
				return context.Cause(p.ctx)
			}
		}
		if ended {
			close(p.full) // only a whole image ends the writing stage; everything else cancels it
			_, err := io.Copy(io.Discard, file)
			return err
		}
	}
}

// blame finds out whether a damaged image is damaged as published or is not the declared file at all, which the checksum
// tells once the rest has been read.
func (j *job) blame(err error, file *hashing) error {
	if !errors.Is(err, ErrDecode) {
		return err
	}
	if _, err := io.Copy(io.Discard, file); err != nil {
		return err
	}
	if wrong := j.src.compare(j.hash, file.n); wrong != nil {
		return fmt.Errorf("%w (%w)", wrong, err)
	}
	return err
}

// begin judges the image by its first megabyte and its size, if that is known, before the disk is touched.
func (p *rawPipe) begin(first []byte, whole bool, image io.Reader) error {
	info, err := format.Inspect(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		return err
	}
	if err := format.Check(info, "raw"); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(first) == 0 {
		return fmt.Errorf("%w: the image is empty", ErrFormat)
	}
	size := int64(-1)
	if _, compressed := image.(*decodeErrors); !compressed {
		size, _, _ = p.remote.known()
	}
	if whole {
		size = int64(len(first))
	}
	if err := p.fits(size); err != nil {
		return err
	}
	file, _, _ := p.remote.known()
	p.m.total(size, file)
	p.m.phase(PhaseWrite, size)
	p.sink = newSink(p.dst, p.disk, unit, p.m)
	return p.sink.wipe()
}

// maxRun is how long a run of zeros grows before it is written, so that progress shows.
const maxRun = 256 * mib

// write writes the batches in order, data and runs of zeros apart.
func (p *rawPipe) write() error {
	var at, run int64 // run: zeros before at, not yet written
	var foot []byte
	for {
		buf, more, err := p.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		foot = append(foot, buf[max(len(buf)-512, 0):]...)
		foot = foot[max(len(foot)-512, 0):]
		for rest := buf; len(rest) > 0; {
			n, blank := span(rest)
			if !blank || run >= maxRun {
				if err := p.sink.zero(p.ctx, at-run, run); err != nil {
					return err
				}
				run = 0
			}
			if blank {
				run += int64(n)
			} else if err := p.sink.write(rest[:n], at); err != nil {
				return err
			}
			at, rest = at+int64(n), rest[n:]
		}
		p.free <- buf[:cap(buf)]
	}
	if found := format.Footer(foot); found != "" {
		return fmt.Errorf("%w: %w: declared raw, but it ends with the footer of a %s image", ErrFormat, format.ErrMismatch, found)
	}
	return p.sink.zero(p.ctx, at-run, run)
}

// next waits for a batch; more is false after the image's last.
func (p *rawPipe) next() (buf []byte, more bool, err error) {
	select {
	case buf, more = <-p.full:
		return buf, more, nil
	case <-p.ctx.Done():
		return nil, false, context.Cause(p.ctx)
	}
}

// span returns how many of p's bytes, in whole units, are all zero, or all not.
func span(p []byte) (n int, blank bool) {
	blank = isZero(p[:min(unit, len(p))])
	for n = min(unit, len(p)); n < len(p); {
		next := min(unit, len(p)-n)
		if isZero(p[n:n+next]) != blank {
			break
		}
		n += next
	}
	return n, blank
}
