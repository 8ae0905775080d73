package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-metal/ingot"
)

// A failover to an asynchronous standby loses the last commits: claims and leases that some process holds are in no row. So
// PostgreSQL's timeline is kept beside the records: where it is another than the row says, every conductor begins anew with
// nothing claimed, nobody claims until all have, and nobody speaks to a BMC until whoever may be doing so has ended.

// currentLine is the timeline that the database writes on; it changes with a promotion, and never while a connection can
// write.
const currentLine = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"

// leasesLast is how long a lease on a BMC lasts at most (conductor/exchange.go).
const leasesLast = 22 * time.Second

// noteLine writes down the database's timeline, and gives it; "" on SQLite, which has one. The first one ever seen is not
// a failover.
func (t *tx) noteLine() (line string, err error) {
	if t.store.writer != nil {
		return "", nil
	}
	now, args := t.store.clock(t.now)
	changed, err := t.exec("UPDATE timeline SET seen_at = CASE WHEN line = '' THEN 0 ELSE "+now+" END, line = "+currentLine+" WHERE line <> "+currentLine, args...)
	if err != nil {
		return "", err
	}
	if changed > 0 {
		t.store.log.Warn("the database is on another timeline than before: another server took over, and the last commits may be lost")
	}
	_, err = t.one([]any{&line}, "SELECT line FROM timeline")
	return line, err
}

// sameLine says whether this process's last look was at the same timeline, and remembers this one.
func (s *Store) sameLine(line string) bool {
	before := s.line.Swap(&line)
	return before == nil || *before == line
}

// unsettled is an SQL expression: how many microseconds it still takes until the last failover is so long ago; 0 or less is
// settled.
func (t *tx) unsettled(after time.Duration) (string, []any) {
	if t.store.writer != nil {
		return "0", nil
	}
	now, args := t.store.clock(t.now)
	return "(SELECT CASE WHEN line <> " + currentLine + " THEN CAST(? AS BIGINT) ELSE seen_at + CAST(? AS BIGINT) - " + now + " END FROM timeline)",
		concat([]any{after.Microseconds(), after.Microseconds()}, args)
}

// errUnsettled refuses what has to wait after a failover.
func errUnsettled(what string, micros int64) error {
	left := time.Duration(micros) * time.Microsecond
	return &ingot.Error{Code: ingot.Unavailable, After: min(left, time.Second), Err: fmt.Errorf("%s: the database failed over to another server, and what was under way has to end first (%v)", what, left.Round(time.Millisecond))}
}

// openLine looks at the timeline when a process starts.
func (s *Store) openLine(ctx context.Context) error {
	t := &tx{conn: *s.read(ctx), now: s.now()}
	line, err := t.noteLine()
	if err == nil {
		s.sameLine(line)
	}
	return err
}

// sayRisks logs what the database's settings leave of the promises.
func (s *Store) sayRisks(ctx context.Context) error {
	var commit, fsync, names string
	var standbys int
	_, err := s.read(ctx).one([]any{&commit, &fsync, &names, &standbys},
		"SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('synchronous_standby_names'), (SELECT count(*) FROM pg_stat_replication)")
	switch {
	case err != nil:
		return err
	case fsync == "off" || commit == "off":
		s.log.Warn("the database answers before commits are on its disk: a crash of it may lose the last ones. Nothing is done twice then, but a request that was accepted in that moment may be gone", "fsync", fsync, "synchronous_commit", commit)
	case standbys > 0 && (names == "" || commit == "local"):
		s.log.Warn("the database has asynchronous standbys: a failover to one may lose the last commits. Nothing is done twice then, but a request that was accepted in that moment may be gone; synchronous_standby_names has commits wait for a standby", "standbys", standbys, "synchronous_commit", commit)
	}
	return nil
}
