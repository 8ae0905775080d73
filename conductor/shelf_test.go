package conductor_test

import (
	"context"
	"io"
	"strings"
	"sync"

	"github.com/ingot-metal/ingot"
)

// shelf has copies of disks on a conductor's machine, by key: texts, in the place of disks.
type shelf struct {
	mu     sync.Mutex
	copies map[string]string
}

func newShelf() *shelf { return &shelf{copies: map[string]string{}} }

// text is a copy; "" where there is none.
func (s *shelf) text(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copies[key]
}

// kept is how many there are.
func (s *shelf) kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.copies)
}

func (s *shelf) KeptDisk(_ context.Context, key string) (ingot.ImageReady, error) {
	if s.text(key) == "" {
		return ingot.ImageReady{}, ingot.Errorf(ingot.NotFound, "no copy")
	}
	return ingot.ImageReady{ID: key, URL: "copy:" + key, DiskFormat: "raw", Checksum: "sum", ChecksumAlgo: "sha256"}, nil
}

func (s *shelf) OpenDisk(ctx context.Context, key string) (ingot.GuestImage, error) {
	ready, err := s.KeptDisk(ctx, key)
	return ingot.GuestImage{ImageReady: ready, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(s.text(key))), nil
	}}, err
}

func (s *shelf) NewDisk(key, _ string) (ingot.DiskCopy, error) {
	return &shelfCopy{on: s, key: key}, nil
}

func (s *shelf) DropDisk(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.copies, key)
	return nil
}

// loseCopies is what another machine, which goes on, has of them.
func (s *shelf) loseCopies() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.copies)
}

// shelfCopy is one that is being written.
type shelfCopy struct {
	strings.Builder
	on  *shelf
	key string
}

func (c *shelfCopy) Drop() {}

func (c *shelfCopy) Keep() error {
	c.on.mu.Lock()
	defer c.on.mu.Unlock()
	c.on.copies[c.key] = c.String()
	return nil
}
