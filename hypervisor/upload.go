//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// carry is one upload of an image to a pool, which any number of askers wait for.
type carry struct {
	done chan struct{}
	sent atomic.Int64
	size int64
	err  error
}

// bring has the image in the host's pool, or says how far it is. The upload outlives the asking that began it.
func (h *Hosts) bring(ctx context.Context, l *link, host, pool string, image ingot.GuestImage) error {
	key := host + "/" + pool + "/" + image.Checksum
	h.mu.Lock()
	up := h.carries[key]
	if up == nil {
		if h.carries == nil {
			h.carries = map[string]*carry{}
		}
		up = &carry{done: make(chan struct{}), size: image.Size}
		h.carries[key] = up
		go h.carryAll(context.WithoutCancel(ctx), l, pool, image, up)
	}
	h.mu.Unlock()
	select {
	case <-up.done:
	case <-time.After(50 * time.Millisecond): // small images need no second asking
		return &ingot.Error{Code: ingot.Unavailable, After: time.Second, Err: fmt.Errorf("bringing the image to compute host %s: %d of %d bytes", host, up.sent.Load(), up.size)}
	}
	h.mu.Lock()
	delete(h.carries, key)
	h.mu.Unlock()
	return up.err
}

func (h *Hosts) carryAll(ctx context.Context, l *link, pool string, image ingot.GuestImage, up *carry) {
	defer close(up.done)
	ctx, cancel := context.WithTimeout(ctx, uploadPatience)
	defer cancel()
	up.err = l.do(ctx, "bring the image", func(c *libvirt.Connect) error {
		return within(c, pool, func(p *libvirt.StoragePool) error {
			names, err := p.ListStorageVolumes()
			if err != nil || baseFor(image.Checksum, names) != "" {
				return err
			}
			return writeBase(ctx, c, p, image, &up.sent)
		})
	})
}

// writeBase writes a base, and marks it when it was found right; one that was not is taken away.
func writeBase(ctx context.Context, c *libvirt.Connect, pool *libvirt.StoragePool, image ingot.GuestImage, sent *atomic.Int64) (err error) {
	from, err := image.Open(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	name := basePrefix + image.Checksum + "." + strings.ToLower(rand.Text()[:8])
	if err := makeVolume(pool, name, "raw", uint64(image.Size), nil); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = dropVolume(pool, name) // it counts for nothing without its mark
		}
	}()
	sum := newHash(image.ChecksumAlgo)
	if err := upload(c, pool, name, io.TeeReader(from, io.MultiWriter(sum, counter{sent})), image.Size); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != image.Checksum {
		return ingot.Errorf(ingot.Invalid, "the image has %s %s, not %s", image.ChecksumAlgo, got, image.Checksum)
	}
	return makeVolume(pool, name+baseDone, "raw", 512, nil)
}

func newHash(algo string) hash.Hash {
	if algo == "sha512" {
		return sha512.New()
	}
	return sha256.New()
}

// counter counts what is written to it.
type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
