package disk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"
)

// qcow2Copy is the second half of a conversion: the file streams by and is cut up.
type qcow2Copy struct {
	img  *qcow2Image
	sink *sink
	ctx  context.Context // of the stages of run

	free chan []byte
	jobs chan cut

	mu     sync.Mutex
	damage error // the first cluster that could not be decompressed
}

// cut is one extent with its bytes.
type cut struct {
	extent
	data []byte
}

// run wipes the disk's ends, zeroes what the image does not hold, and copies what it does.
func (c *qcow2Copy) run(ctx context.Context) error {
	if err := c.sink.wipe(); err != nil {
		return err
	}
	list := &extents{max: cmp.Or(c.img.job.w.extents, maxExtents)}
	zero := func(off, n int64) error { return c.sink.zero(ctx, off, n) }
	if err := c.img.walk(ctx, list, zero); err != nil {
		return err
	}
	g, inner := errgroup.WithContext(ctx)
	c.ctx = inner
	j := c.img.job
	down := &stream{ctx: inner, r: j.remote, m: j.m}
	defer down.close()
	ahead, check := newReadahead(inner), c.img.check()
	file := &hashing{r: ahead, h: io.MultiWriter(j.hash, check)}
	workers := j.workers
	if c.img.cluster > batch {
		workers = min(workers, 2) // each holds several clusters, and memory is bounded
	}
	buffers := 2*workers + 1
	c.free, c.jobs = make(chan []byte, buffers), make(chan cut, buffers)
	for range buffers {
		c.free <- nil
	}
	g.Go(func() error { return ahead.fill(down) })
	g.Go(func() error { return c.split(file, list) })
	for range workers {
		g.Go(c.work)
	}
	if err := g.Wait(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return err
	}
	return c.verdict(file, check)
}

// verdict judges what came by, worst first: another file than declared, tables that changed, damaged clusters.
func (c *qcow2Copy) verdict(file *hashing, check *tableCheck) error {
	j := c.img.job
	if err := j.src.compare(j.hash, file.n); err != nil {
		if c.damage != nil {
			err = fmt.Errorf("%w (%w)", err, c.damage)
		}
		return err
	}
	if err := check.verify(c.img); err != nil {
		return err
	}
	return c.damage
}

// split reads the whole file and hands each extent to the workers.
func (c *qcow2Copy) split(file io.Reader, list *extents) error {
	defer close(c.jobs)
	w := &window{r: file}
	for {
		list.sort()
		for _, e := range list.list {
			if c.damaged() != nil {
				break
			}
			if err := c.hand(w, e); err != nil {
				return err
			}
		}
		if list.limit == 0 || c.damaged() != nil {
			_, err := io.Copy(io.Discard, file)
			return err
		}
		if len(list.list) == 0 {
			return fmt.Errorf("%w: too many parts of the disk are said to be at offset %d of the file", ErrDecode, list.limit)
		}
		*list = extents{from: list.limit, max: list.max, list: list.list[:0]}
		if err := c.img.walk(c.ctx, list, nil); err != nil {
			return err
		}
	}
}

// hand gives one extent to the workers.
func (c *qcow2Copy) hand(w *window, e extent) error {
	data, err := w.at(e.host, int(e.n))
	if err != nil {
		return err
	}
	select {
	case buf := <-c.free:
		if cap(buf) < len(data) {
			buf = make([]byte, max(len(data), unit))
		}
		c.jobs <- cut{extent: e, data: buf[:copy(buf[:len(data)], data)]}
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// work writes extents until there are no more. It goes on past a damaged cluster without writing, so that the file is
// read to its end and its checksum can tell whose fault it is.
func (c *qcow2Copy) work() error {
	d := &clusters{img: c.img}
	defer d.close()
	for job := range c.jobs {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		data, err := job.data, c.damaged()
		if err == nil && job.compressed {
			data, err = d.decode(job.extent, job.data)
		}
		if err == nil {
			err = c.sink.write(data, job.guest)
		}
		switch {
		case errors.Is(err, ErrDecode):
			c.mu.Lock()
			c.damage = err
			c.mu.Unlock()
		case err != nil:
			return err
		}
		c.free <- job.data[:0]
	}
	return nil
}

func (c *qcow2Copy) damaged() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.damage
}
