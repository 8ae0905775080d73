package store

import (
	"context"
	"time"
)

// Processes on several machines have clocks that differ, and that are set while they run. On PostgreSQL all go by the
// database's: asked for now and then, and counted on in between by this machine's monotonic clock.

// clockEvery is how often the database is asked for the time.
const clockEvery = 5 * time.Second

// sharedTime is what the database's clock said when this machine's (with its monotonic reading) said at.
type sharedTime struct{ said, at time.Time }

// Now is the time by the clock that all processes on this database share.
func (s *Store) Now() time.Time {
	if shared := s.shared.Load(); shared != nil {
		return shared.said.Add(time.Since(shared.at))
	}
	return s.clockNow()
}

// now is the time to write, as precise as it is kept.
func (s *Store) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// askTime asks the database for the time. An answer that took long says too little.
func (s *Store) askTime(ctx context.Context) error {
	began := time.Now()
	var said int64
	if _, err := s.read(ctx).one([]any{&said}, "SELECT "+databaseClock); err != nil {
		return err
	}
	if took := time.Since(began); took < time.Second {
		s.shared.Store(&sharedTime{said: fromMicros(said), at: began.Add(took / 2)})
	}
	return nil
}

// keepTime asks now, and then again until the store is closed.
func (s *Store) keepTime(ctx context.Context) error {
	if !s.ownClock {
		return nil
	}
	if err := s.askTime(ctx); err != nil {
		return err
	}
	asking, stop := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	s.closing(func() error { stop(); <-stopped; return nil })
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(clockEvery)
		defer ticker.Stop()
		for {
			select {
			case <-asking.Done():
				return
			case <-ticker.C:
				if err := s.askTime(asking); err != nil && asking.Err() == nil {
					s.log.Debug("cannot ask the database for the time; counting on", "err", err)
				}
			}
		}
	}()
	return nil
}

// databaseClock is the database's own time, in microseconds.
const databaseClock = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

// clock is an SQL expression for the time by which leases and conductors are judged, in microseconds: the database's
// own where several processes share it.
func (s *Store) clock(now time.Time) (string, []any) {
	if s.writer == nil && s.ownClock {
		return databaseClock, nil
	}
	return "CAST(? AS BIGINT)", []any{micros(now)}
}
