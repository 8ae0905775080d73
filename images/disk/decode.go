package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxWindow bounds the memory of the decoders: zstd -19 and xz -7 need 8 and 16 MiB. More is refused with advice, since
// a window is held whole in memory.
const maxWindow = 16 << 20

// decoded returns a reader of the decompressed image; compression is as in Source. Its errors are ErrDecode unless they
// come from below.
func decoded(compression string, file io.Reader) (io.Reader, func(), error) {
	in := bufio.NewReaderSize(file, 64<<10)
	if compression == "" {
		magic, err := in.Peek(6)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		compression = compressionOf(string(magic))
	}
	none := func() {}
	below := &failing{r: in}
	wrap := func(r io.Reader) io.Reader { return &decodeErrors{r: r, below: below, name: compression} }
	switch compression {
	case "gzip":
		zr, err := gzip.NewReader(below)
		if err != nil {
			return nil, nil, below.explain(compression, err)
		}
		return wrap(zr), none, nil
	case "zstd":
		zr, err := zstd.NewReader(below, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, below.explain(compression, err)
		}
		return wrap(zr), zr.Close, nil
	case "xz":
		if err := xzWindow(in); err != nil {
			return nil, nil, err
		}
		zr, err := xz.NewReader(below)
		if err != nil {
			return nil, nil, below.explain(compression, err)
		}
		return wrap(zr), none, nil
	}
	return in, none, nil
}

// compressionOf tells a compressed file by its first bytes.
func compressionOf(magic string) string {
	for name, prefix := range map[string]string{"gzip": "\x1f\x8b\x08", "xz": "\xfd7zXZ\x00", "zstd": "\x28\xb5\x2f\xfd"} {
		if len(magic) >= len(prefix) && magic[:len(prefix)] == prefix {
			return name
		}
	}
	return "none"
}

// xzWindow refuses a dictionary beyond maxWindow, which the xz package would allocate without asking. Only the first
// block is looked at (xz file format 3.1): xz writes all blocks of a file with one setting.
func xzWindow(in *bufio.Reader) error {
	head, err := in.Peek(64)
	if len(head) < 20 {
		return fmt.Errorf("%w: the xz file is too short: %w", ErrDecode, err)
	}
	at := 14 // 12 of the stream header, block header size, block flags
	for flag := byte(0x40); flag != 0; flag <<= 1 {
		if head[13]&flag == 0 {
			continue
		}
		for at < len(head) && head[at]&0x80 != 0 {
			at++
		}
		at++
	}
	if head[13]&3 != 0 || at+3 > len(head) || head[at] != 0x21 || head[at+1] != 1 {
		return fmt.Errorf("%w: the xz file uses filters other than LZMA2; compress it with plain xz -6", ErrDecode)
	}
	size, err := lzma.DecodeDictCap(head[at+2])
	if err != nil || size > maxWindow {
		return fmt.Errorf("%w: the xz file needs a dictionary of %d MiB, at most %d are held in memory; compress it with xz -6",
			ErrDecode, size/mib, maxWindow/mib)
	}
	return nil
}

// failing remembers the error of the file below a decoder, so that a broken download is not called a damaged image.
type failing struct {
	r   *bufio.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	f.keep(err)
	return n, err
}

// ReadByte keeps decoders from wrapping the reader in a buffer of their own.
func (f *failing) ReadByte() (byte, error) {
	b, err := f.r.ReadByte()
	f.keep(err)
	return b, err
}

func (f *failing) keep(err error) {
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
}

func (f *failing) explain(name string, err error) error {
	switch {
	case f.err != nil:
		return f.err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fmt.Errorf("%w: the zstd file needs a window of more than %d MiB; compress it with zstd -19 or less, without --long",
			ErrDecode, maxWindow/mib)
	}
	return fmt.Errorf("%w: its %s data cannot be decompressed: %w", ErrDecode, name, err)
}

// decodeErrors turns a decoder's errors into ours.
type decodeErrors struct {
	r     io.Reader
	below *failing
	name  string
}

func (d *decodeErrors) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && err != io.EOF {
		err = d.below.explain(d.name, err)
	}
	return n, err
}
