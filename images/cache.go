package images

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// Cache keeps images that came over HTTP in a folder of bounded size. An image is there under its ID when it is whole
// and its checksum was right; a partial download has the suffix .part and is gone on with.
type Cache struct {
	Dir string
	Max int64 // bytes of all images together; what was used longest ago goes first

	mu    sync.Mutex
	loads map[string]*load
}

// load is one download that any number of askers wait for.
type load struct {
	done chan struct{}
	err  error
}

// Fetch gives the path of the image, or says that it is still on its way: it never waits for a download. The next asking
// after a failure begins again where the download stopped.
func (c *Cache) Fetch(ctx context.Context, client *http.Client, url string, image ingot.ImageReady) (string, error) {
	path := filepath.Join(c.Dir, image.ID)
	if _, err := os.Stat(path); err == nil {
		now := time.Now()
		if err := os.Chtimes(path, now, now); err != nil {
			return "", fmt.Errorf("cannot use the cached image %s: %w", path, err)
		}
		return path, nil
	}
	l := c.join(ctx, client, url, path, image)
	select {
	case <-l.done:
		c.forget(path)
		if l.err != nil {
			return "", l.err
		}
		return path, nil
	case <-time.After(50 * time.Millisecond): // small images need no second asking
		return "", &ingot.Error{Code: ingot.Unavailable, After: 2 * time.Second, Err: fmt.Errorf("downloading it: %s", c.progress(path, image.Size))}
	}
}

// join starts the download of path unless it is under way.
func (c *Cache) join(ctx context.Context, client *http.Client, url, path string, image ingot.ImageReady) *load {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.loads[path]; l != nil {
		return l
	}
	if c.loads == nil {
		c.loads = map[string]*load{}
	}
	l := &load{done: make(chan struct{})}
	c.loads[path] = l
	// The download outlives the asking that began it: its bound is its own.
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer close(l.done)
		ctx, cancel := context.WithTimeout(ctx, downloadPatience)
		defer cancel()
		l.err = c.download(ctx, client, url, path, image)
	}()
	return l
}

// downloadPatience bounds one try of a download.
const downloadPatience = 2 * time.Hour

func (c *Cache) forget(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.loads, path)
}

func (c *Cache) progress(path string, size int64) string {
	info, err := os.Stat(path + ".part")
	if err != nil {
		return "beginning"
	}
	return fmt.Sprintf("%d of %d bytes", info.Size(), size)
}

// download goes on with path.part, checks it and gives it its name.
func (c *Cache) download(ctx context.Context, client *http.Client, url, path string, image ingot.ImageReady) error {
	if err := c.makeRoom(image.Size); err != nil {
		return err
	}
	part, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write to the image cache: %w", err)
	}
	defer part.Close()
	sum := newHash(image.ChecksumAlgo)
	have, err := io.Copy(sum, part)
	if err != nil {
		return fmt.Errorf("cannot read the image cache: %w", err)
	}
	if err := appendRest(ctx, client, url, part, sum, have); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != image.Checksum {
		os.Remove(path + ".part")
		return ingot.Errorf(ingot.Invalid, "the image at %s has %s %s, not %s", url, image.ChecksumAlgo, got, image.Checksum)
	}
	if err := part.Sync(); err != nil {
		return fmt.Errorf("cannot write to the image cache: %w", err)
	}
	return os.Rename(path+".part", path)
}

// appendRest reads what is missing after have bytes; a server without ranges starts from the beginning.
func appendRest(ctx context.Context, client *http.Client, url string, part *os.File, sum hash.Hash, have int64) error {
	span := ""
	if have > 0 {
		span = fmt.Sprintf("bytes=%d-", have)
	}
	response, err := get(ctx, client, url, span)
	if err != nil {
		if have > 0 && ingot.IsFatal(err) { // 416: nothing is missing, or another file; the checksum tells
			return nil
		}
		return err
	}
	defer response.Body.Close()
	if have > 0 && response.StatusCode == http.StatusOK {
		sum.Reset()
		if err := part.Truncate(0); err != nil {
			return err
		}
		if _, err := part.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.MultiWriter(part, sum), response.Body); err != nil {
		return fmt.Errorf("the download of %s broke off: %w", url, err)
	}
	return nil
}

func newHash(algo string) hash.Hash {
	if algo == "sha512" {
		return sha512.New()
	}
	return sha256.New()
}

// makeRoom removes the images that were used longest ago until size more bytes fit.
func (c *Cache) makeRoom(size int64) error {
	if size > c.Max {
		return ingot.Errorf(ingot.Invalid, "the image has %d bytes, more than the image cache may hold (%d): raise images.cache_size", size, c.Max)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the image cache: %w", err)
	}
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return fmt.Errorf("cannot read the image cache: %w", err)
	}
	var files []os.FileInfo
	total := size
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || filepath.Ext(e.Name()) == ".part" {
			continue
		}
		files = append(files, info)
		total += info.Size()
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if total <= c.Max {
			break
		}
		if err := os.Remove(filepath.Join(c.Dir, f.Name())); err != nil {
			return fmt.Errorf("cannot make room in the image cache: %w", err)
		}
		total -= f.Size()
	}
	return nil
}
