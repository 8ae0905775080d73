package store

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/jmoiron/sqlx"

	"github.com/ingot-metal/ingot"
)

// mostInBatch is how many transactions share a commit at most: it bounds how long the first one waits for the last.
const mostInBatch = 128

// writer is the one goroutine that writes to SQLite. It takes whatever transactions are queued, runs each in a
// savepoint of its own, commits them together, and answers each after the commit is on disk. One that fails is rolled
// back to its savepoint and does not take the others with it.
type writer struct {
	store   *Store
	db      *sqlx.Conn
	kept    *prepared
	queue   chan *job
	quit    chan struct{}
	stopped chan struct{}
	batches atomic.Int64
	written atomic.Int64
}

// job is a queued transaction.
type job struct {
	do     func(*tx) error
	state  atomic.Int32
	failed error // its own error, told after the commit
	done   chan error
}

// The states of a job: whoever moves it from queued first decides.
const (
	jobQueued int32 = iota
	jobTaken
	jobDropped
)

func newWriter(s *Store, db *sqlx.Conn) *writer {
	w := &writer{store: s, db: db, kept: &prepared{db: db, most: mostPrepared}, queue: make(chan *job, mostInBatch), quit: make(chan struct{}), stopped: make(chan struct{})}
	go w.run()
	return w
}

// write queues do and waits for its commit. A context that ends while do is still queued takes it back; afterwards the
// answer is waited for, so that the caller always knows whether it was written.
func (w *writer) write(ctx context.Context, do func(*tx) error) error {
	j := &job{do: do, done: make(chan error, 1)}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed()
	}
	select {
	case err := <-j.done:
		return err
	case <-w.stopped:
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobQueued, jobDropped) {
			return ctx.Err()
		}
		return <-j.done
	}
	select {
	case err := <-j.done:
		return err
	default: // queued after the writer's last look
		return errClosed()
	}
}

func errClosed() error { return ingot.Errorf(ingot.Unavailable, "the store is closed") }

func (w *writer) run() {
	defer close(w.stopped)
	for {
		select {
		case j := <-w.queue:
			w.batch(j)
		case <-w.quit:
			for {
				select {
				case j := <-w.queue:
					w.batch(j)
				default:
					return
				}
			}
		}
	}
}

func (w *writer) close() {
	close(w.quit)
	<-w.stopped
}

// batch runs first and what else is queued by then, and commits. Who failed is told with the others: it was judged by what
// they have written, which nobody finds before the commit, and which may never be. It uses no caller's context: SQLite answers an
// interrupted statement by rolling back the whole transaction, and with it what others wrote.
func (w *writer) batch(first *job) {
	shared := &conn{ctx: context.Background(), ext: w.db, prepared: w.kept, store: w.store}
	if _, err := shared.exec("BEGIN IMMEDIATE"); err != nil {
		first.done <- fmt.Errorf("cannot begin a transaction: %w", err)
		return
	}
	var ran []*job
	var written int64
	var wake, events bool
	for j := first; j != nil && len(ran) < mostInBatch; j = w.next() {
		if !j.state.CompareAndSwap(jobQueued, jobTaken) {
			continue
		}
		t, failed, broken := w.one(shared, j)
		if broken != nil {
			shared.exec("ROLLBACK") //nolint:errcheck // often nothing is left to roll back, and every job is told
			for _, other := range append(ran, j) {
				other.done <- broken
			}
			return
		}
		j.failed = failed
		if ran = append(ran, j); failed != nil {
			continue
		}
		written++
		wake, events = wake || t.wake, events || t.events > 0
	}
	_, err := shared.exec("COMMIT")
	if err != nil {
		shared.exec("ROLLBACK") //nolint:errcheck // the commit's error is what is told
		err = fmt.Errorf("cannot commit: %w", err)
	} else {
		w.batches.Add(1)
		w.written.Add(written)
		w.store.committed(wake, events)
	}
	for _, j := range ran {
		if err == nil {
			j.done <- j.failed
		} else {
			j.done <- err
		}
	}
}

// next is a job that is queued already, or nil.
func (w *writer) next() *job {
	select {
	case j := <-w.queue:
		return j
	default:
		return nil
	}
}

// one runs a job in its savepoint. failed is the job's own error; broken means that SQLite has given up the whole
// transaction (disk full, input or output error), and nothing of it can be committed.
func (w *writer) one(shared *conn, j *job) (t *tx, failed, broken error) {
	if _, err := shared.exec("SAVEPOINT job"); err != nil {
		return nil, nil, err
	}
	t = &tx{conn: *shared, now: w.store.now()}
	failed = attempt(j.do, t)
	if failed != nil {
		if _, err := shared.exec("ROLLBACK TO job"); err != nil {
			return nil, nil, fmt.Errorf("%w (and then: %w)", failed, err)
		}
	}
	if _, err := shared.exec("RELEASE job"); err != nil {
		return nil, nil, err
	}
	return t, failed, nil
}

// attempt turns a panic in somebody's function into an error: it must not take the writer with it.
func attempt(do func(*tx) error, t *tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.store.log.Error("panic in a transaction", "panic", p, "stack", string(debug.Stack()))
			err = ingot.Errorf(ingot.Internal, "cannot finish a transaction: %v", p)
		}
	}()
	return do(t)
}
