package disk

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"runtime"
	"time"
)

// Writer writes images to disks. The zero value works; a Writer may be used for several writes, also at the same time.
type Writer struct {
	// Progress, when set, is called at each change of phase, about every ProgressEvery while bytes move, and at the end.
	// Calls do not overlap; the writer waits for them.
	Progress func(Progress)
	// ProgressEvery is half a second when zero.
	ProgressEvery time.Duration
	// Workers decode qcow2 clusters and read back, at most eight; zero means as many as there are processors, at most four.
	Workers int
	// StallTimeout is the longest silence of the server before the connection counts as broken; a minute when zero.
	StallTimeout time.Duration
	// Attempts is how often in a row a connection may bring nothing before the write fails; five when zero.
	Attempts int
	// RetryDelay is the pause before the second attempt, doubled for each further one up to 16 times; a second when zero.
	RetryDelay time.Duration
	// SkipReadBack leaves out the comparison of the disk with what was written.
	SkipReadBack bool
	// Now and Wait are the clock; nil means the machine's. Wait returns early with ctx's error.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error

	extents int // maxExtents when zero; tests make it small
}

// Result is what a write did.
type Result struct {
	ImageSize  int64  // bytes of the disk that the image covers
	DiskSize   int64  // bytes of the disk
	FileSize   int64  // bytes of the file that was downloaded
	Checksum   string // of the file, hexadecimal, by the declared algorithm (SHA-256 when none was declared)
	Reconnects int    // attempts that repeated or continued a broken one
	ReadBack   bool   // the disk was read back and compared
	MovedGPT   bool   // the backup GPT was moved to the disk's end
}

// job is one write in progress.
type job struct {
	w       *Writer
	src     Source
	remote  *remote
	hash    hash.Hash
	m       *meter
	dst     Target
	disk    int64
	workers int
}

// written is what the copying half of a job hands to the finishing half.
type written struct {
	sink  *sink
	image int64 // bytes of the disk that the image covers
	file  int64 // bytes of the file
}

// Write downloads the image and writes it to dst. Nothing is written before the source has been opened, its format
// judged and, where it is known, its size compared with the disk's. From then on the disk does not boot until Write has
// returned nil: what failed, was cancelled or was killed leaves both ends of the disk blank. Errors are those listed
// with the Err values. Write may be repeated on the same disk at any time.
func (w *Writer) Write(ctx context.Context, src Source, dst Target) (Result, error) {
	j, err := w.job(src, dst)
	if err != nil {
		return Result{}, fmt.Errorf("cannot write the image: %w", err)
	}
	copyImage := j.raw
	if src.Format == "qcow2" {
		copyImage = j.qcow2
	}
	res := Result{}
	done, err := copyImage(ctx)
	if err == nil {
		res, err = j.finish(ctx, done)
	}
	j.m.flush()
	if err != nil {
		return Result{}, fmt.Errorf("cannot write the image %s: %w", src.redacted(), err)
	}
	return res, nil
}

// job checks the arguments and fills in the defaults.
func (w *Writer) job(src Source, dst Target) (*job, error) {
	h, err := src.check()
	if err != nil {
		return nil, err
	}
	size, err := sizeOf(dst)
	if err != nil {
		return nil, err
	}
	j := &job{w: w, src: src, hash: h, dst: dst, disk: size, workers: w.Workers}
	if j.workers <= 0 {
		j.workers = min(runtime.GOMAXPROCS(0), 4)
	}
	j.workers = min(j.workers, 8)
	j.m = &meter{report: w.Progress, every: or(w.ProgressEvery, time.Second/2), now: w.Now}
	if j.m.now == nil {
		j.m.now = time.Now
	}
	j.m.began, j.m.p = j.m.now(), Progress{Phase: PhaseWrite, Total: -1, DownloadTotal: -1}
	j.remote = &remote{
		src: src, client: src.Client, size: -1, wait: w.Wait, tries: w.Attempts,
		stall: or(w.StallTimeout, time.Minute), pause: or(w.RetryDelay, time.Second),
	}
	if j.remote.client == nil {
		j.remote.client = http.DefaultClient
	}
	if j.remote.wait == nil {
		j.remote.wait = wait
	}
	if j.remote.tries <= 0 {
		j.remote.tries = 5
	}
	return j, nil
}

// finish judges the checksum, makes everything durable, reads it back, and makes the disk bootable, in that order.
func (j *job) finish(ctx context.Context, done written) (Result, error) {
	if err := j.src.compare(j.hash, done.file); err != nil {
		return Result{}, err
	}
	if err := j.dst.Sync(); err != nil {
		return Result{}, fmt.Errorf("cannot sync the disk: %w", err)
	}
	if !j.w.SkipReadBack {
		if err := done.sink.verify(ctx, done.image, j.workers); err != nil {
			return Result{}, err
		}
	}
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	j.m.phase(PhaseFinish, int64(len(done.sink.head)+len(done.sink.tail)))
	if err := done.sink.finish(!j.w.SkipReadBack); err != nil {
		return Result{}, err
	}
	moved, err := RelocateGPT(j.dst)
	if err != nil {
		return Result{}, done.sink.revoke(err)
	}
	_, _, reconnects := j.remote.known()
	return Result{
		ImageSize: done.image, DiskSize: j.disk, FileSize: done.file, Checksum: hex.EncodeToString(j.hash.Sum(nil)),
		Reconnects: reconnects, ReadBack: !j.w.SkipReadBack, MovedGPT: moved,
	}, nil
}

// fits compares an image's size with the disk's.
func (j *job) fits(size int64) error {
	if size > j.disk {
		return fmt.Errorf("%w: the image needs %d bytes, the disk has %d: choose a larger disk or a smaller image",
			ErrTooLarge, size, j.disk)
	}
	return nil
}

// or is the first value that is not zero.
func or(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}

// wait is the machine's clock.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
