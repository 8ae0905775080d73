package disk

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// clusters decompresses qcow2 clusters for one worker, reusing one decoder and one buffer.
type clusters struct {
	img   *qcow2Image
	in    bytes.Reader
	out   []byte
	flate io.ReadCloser
	zstd  *zstd.Decoder
}

// decode returns the cluster's content, as much of it as lies on the disk; it is valid until the next call. Bytes after
// the end of the compressed data belong to the next cluster.
func (c *clusters) decode(e extent, data []byte) ([]byte, error) {
	if c.out == nil {
		c.out = make([]byte, c.img.cluster)
	}
	c.in.Reset(data)
	r, err := c.reader()
	if err == nil {
		out := c.out[:min(c.img.cluster, c.img.size-e.guest)]
		if _, err = io.ReadFull(r, out); err == nil {
			return out, nil
		}
	}
	return nil, fmt.Errorf("%w: the compressed cluster at offset %d of the file, for offset %d of the disk, cannot be decompressed: %w",
		ErrDecode, e.host, e.guest, err)
}

func (c *clusters) reader() (io.Reader, error) {
	if c.img.zstd {
		if c.zstd != nil {
			return c.zstd, c.zstd.Reset(&c.in)
		}
		var err error
		c.zstd, err = zstd.NewReader(&c.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		return c.zstd, err
	}
	if c.flate == nil {
		c.flate = flate.NewReader(&c.in)
		return c.flate, nil
	}
	reset, ok := c.flate.(flate.Resetter)
	if !ok {
		return nil, fmt.Errorf("cannot reuse a %T", c.flate)
	}
	return c.flate, reset.Reset(&c.in, nil)
}

func (c *clusters) close() {
	if c.zstd != nil {
		c.zstd.Close()
	}
}
