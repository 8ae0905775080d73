package ingot

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math"
	"strings"
	"testing"
)

// sent is a disk of 1 MiB with two chunks on it, and how it is sent.
func sent(t *testing.T) (disk, wire []byte) {
	t.Helper()
	disk = make([]byte, 1<<20)
	copy(disk[4096:], strings.Repeat("first ", 100))
	copy(disk[512<<10:], strings.Repeat("second ", 1000))
	var to bytes.Buffer
	s := NewDiskSender(&to)
	for _, span := range [][2]int64{{4096, 8192}, {512 << 10, 768 << 10}} {
		if err := s.Send(span[0], disk[span[0]:span[1]]); err != nil {
			t.Fatal(err)
		}
	}
	if s.Send(0, disk[:1]) == nil || s.Send(900<<10, nil) == nil {
		t.Error("what lies before, or is nothing, was sent")
	}
	if err := s.End(int64(len(disk))); err != nil {
		t.Fatal(err)
	}
	return disk, to.Bytes()
}

func TestDiskStream(t *testing.T) {
	disk, wire := sent(t)
	var got bytes.Buffer
	if err := ReceiveDisk(bytes.NewReader(wire), int64(len(disk)), &got); err != nil || !bytes.Equal(got.Bytes(), disk) {
		t.Errorf("the disk came otherwise: %v", err)
	}
}

// TestDiskStreamThatIsWrong: whatever is changed, left out or cut off of what was sent is found out.
func TestDiskStreamThatIsWrong(t *testing.T) {
	disk, wire := sent(t)
	size := int64(len(disk))
	second := 2*chunkHeader + 4096
	for name, c := range map[string]struct {
		wire []byte
		size int64
	}{
		"cut off in a chunk":     {wire[:chunkHeader+100], size},
		"cut off at a header":    {wire[:second-chunkHeader], size},
		"cut off before its end": {wire[:len(wire)-chunkHeader], size},
		"of another size":        {wire, size + 1},
		"a chunk left out":       {wire[second-chunkHeader:], size},
		"beyond its end":         {wire, 600 << 10},
		"a byte of a chunk":      {flipped(wire, second+7), size},
		"where a chunk begins":   {flipped(wire, 6), size},
		"how long a chunk is":    {flipped(wire, 8), size},
		"the last sum":           {flipped(wire, len(wire)-1), size},
	} {
		if ReceiveDisk(bytes.NewReader(c.wire), c.size, &bytes.Buffer{}) == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// FuzzReceiveDisk: whatever comes from an agent, no more is written than the disk has, and what is taken is whole.
func FuzzReceiveDisk(f *testing.F) {
	f.Add(headerOf(1<<20, 0, sha256.Sum256(nil)))
	f.Add(append(headerOf(math.MaxInt64-10, DiskChunk, sha256.Sum256(make([]byte, DiskChunk))), make([]byte, DiskChunk)...))
	f.Add(append(headerOf(1<<20-1, 1, sha256.Sum256([]byte{7})), 7))
	f.Fuzz(func(t *testing.T, wire []byte) {
		const size = 1 << 20
		into := counted{most: size}
		err := ReceiveDisk(bytes.NewReader(wire), size, &into)
		if into.n > size || err == nil && into.n != size {
			t.Errorf("%d bytes were written: %v", into.n, err)
		}
	})
}

// counted counts what is written to it, and refuses more than there may be.
type counted struct{ n, most int }

func (c *counted) Write(p []byte) (int, error) {
	if c.n += len(p); c.n > c.most {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func flipped(wire []byte, at int) []byte {
	wire = bytes.Clone(wire)
	wire[at] ^= 1
	return wire
}
