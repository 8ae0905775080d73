package ingot

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

// DiskWish is how a disk is to be given out by the agent of the machine that has it.
type DiskWish struct {
	// Size is of the disk that it goes to, in bytes: what is there is cut off behind its last partition, and the partition
	// table is that of a disk of this size.
	Size int64
	// WithoutConfigDrive leaves out the partition with the config drive, whose place another one takes.
	WithoutConfigDrive bool
}

// DiskChunk is the most that is sent of a disk at a time, in bytes.
const DiskChunk = 256 << 10

// A disk goes over the wire as chunks, each behind a header: where it begins, how long it is, and its SHA-256. Where
// there is no chunk there are zeros. The last header has no chunk: it has the size of the disk, and the SHA-256 of all
// headers before it.
const chunkHeader = 8 + 4 + sha256.Size

// DiskSender sends a disk.
type DiskSender struct {
	to    io.Writer
	heads hash.Hash
	next  int64
}

// NewDiskSender begins to send one.
func NewDiskSender(to io.Writer) *DiskSender { return &DiskSender{to: to, heads: sha256.New()} }

// Send sends at most DiskChunk bytes, which begin behind all that were sent before.
func (s *DiskSender) Send(at int64, chunk []byte) error {
	if at < s.next || len(chunk) == 0 || len(chunk) > DiskChunk {
		return fmt.Errorf("cannot send %d bytes at %d of a disk behind %d", len(chunk), at, s.next)
	}
	s.next = at + int64(len(chunk))
	head := headerOf(at, len(chunk), sha256.Sum256(chunk))
	s.heads.Write(head)
	if _, err := s.to.Write(head); err != nil {
		return err
	}
	_, err := s.to.Write(chunk)
	return err
}

// End says that all was sent of a disk of so many bytes.
func (s *DiskSender) End(size int64) error {
	_, err := s.to.Write(headerOf(size, 0, [sha256.Size]byte(s.heads.Sum(nil))))
	return err
}

func headerOf(at int64, length int, sum [sha256.Size]byte) []byte {
	head := binary.BigEndian.AppendUint64(make([]byte, 0, chunkHeader), uint64(at))
	return append(binary.BigEndian.AppendUint32(head, uint32(length)), sum[:]...)
}

// ReceiveDisk writes a disk of so many bytes as it is sent, from its first byte to its last. Every chunk is held against
// its sum, and the whole against that of the headers: what was not sent to its end is no disk.
func ReceiveDisk(from io.Reader, size int64, into io.Writer) error {
	head, heads, buffer := make([]byte, chunkHeader), sha256.New(), make([]byte, DiskChunk)
	for done := int64(0); ; {
		if _, err := io.ReadFull(from, head); err != nil {
			return cutOff(done, err)
		}
		at, length := int64(binary.BigEndian.Uint64(head)), int(binary.BigEndian.Uint32(head[8:]))
		sum := [sha256.Size]byte(head[12:])
		switch {
		case length == 0 && at == size && sum == [sha256.Size]byte(heads.Sum(nil)):
			return writeNothing(into, size-done)
		case length == 0:
			return errors.New("a disk came otherwise than it was sent: its last sum is wrong")
		case at < done || length > DiskChunk || int64(length) > size-at:
			return fmt.Errorf("a disk of %d bytes came with %d bytes at %d, behind %d", size, length, at, done)
		}
		heads.Write(head)
		chunk := buffer[:length]
		if _, err := io.ReadFull(from, chunk); err != nil {
			return cutOff(at, err)
		}
		if sha256.Sum256(chunk) != sum {
			return fmt.Errorf("%d bytes at %d of a disk came otherwise than they were sent", length, at)
		}
		if err := writeNothing(into, at-done); err != nil {
			return err
		}
		if _, err := into.Write(chunk); err != nil {
			return err
		}
		done = at + int64(length)
	}
}

func cutOff(at int64, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("a disk was cut off behind its first %d bytes: %w", at, err)
}

// writeNothing writes zeros.
func writeNothing(into io.Writer, n int64) error {
	zeros := make([]byte, min(n, DiskChunk))
	for n > 0 {
		k := min(n, int64(len(zeros)))
		if _, err := into.Write(zeros[:k]); err != nil {
			return err
		}
		n -= k
	}
	return nil
}
