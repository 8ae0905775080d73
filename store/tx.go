package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/ingot-metal/ingot"
)

// conn is where statements go: a pool for reading, or a transaction. Statements are written with question marks and
// rebound for the database.
type conn struct {
	ctx      context.Context
	ext      executor
	prepared *prepared // nil on PostgreSQL
	store    *Store
}

// executor is a pool, a connection or a transaction of sqlx.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error)
	QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row
	Rebind(query string) string
}

func (c *conn) exec(query string, args ...any) (int64, error) {
	c.store.statements.Add(1)
	var result sql.Result
	var err error
	if s := c.prepared.take(c.ctx, query); s != nil {
		defer c.prepared.give(s)
		result, err = s.ExecContext(c.ctx, args...)
	} else {
		result, err = c.ext.ExecContext(c.ctx, c.ext.Rebind(query), args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *conn) rows(query string, args ...any) (*sqlx.Rows, error) {
	c.store.statements.Add(1)
	if s := c.prepared.take(c.ctx, query); s != nil {
		defer c.prepared.give(s)
		return s.QueryxContext(c.ctx, args...)
	}
	return c.ext.QueryxContext(c.ctx, c.ext.Rebind(query), args...)
}

func (c *conn) row(query string, args ...any) *sqlx.Row {
	c.store.statements.Add(1)
	if s := c.prepared.take(c.ctx, query); s != nil {
		defer c.prepared.give(s)
		return s.QueryRowxContext(c.ctx, args...)
	}
	return c.ext.QueryRowxContext(c.ctx, c.ext.Rebind(query), args...)
}

// one scans the only row into dest: false when there is none.
func (c *conn) one(dest []any, query string, args ...any) (bool, error) {
	err := c.row(query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// list is every row's only column.
func (c *conn) list(query string, args ...any) ([]string, error) {
	rows, err := c.rows(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var out []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, rows.Err()
}

// in is list-expanding: each slice among args takes the place of one question mark.
func in(query string, args ...any) (string, []any) {
	expanded, flat, err := sqlx.In(query, args...)
	if err != nil { // an empty slice, or marks and arguments that differ in number: the statement itself then fails
		return query, args
	}
	return expanded, flat
}

// tx is a writing transaction. It may be run again from its start when the database asks for that, so nothing outside
// it is touched before it has committed.
type tx struct {
	conn
	now    time.Time // one for the whole transaction
	wake   bool      // operations became due
	events int64     // how many events were appended
}

// read gives the pool for reading.
func (s *Store) read(ctx context.Context) *conn {
	return &conn{ctx: ctx, ext: s.readers, prepared: s.compiled, store: s}
}

// find is read for what is found by its key. On SQLite that takes less time than to watch meanwhile for the end of ctx,
// which is looked at before and not again.
func (s *Store) find(ctx context.Context) *conn {
	if s.writer != nil && ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	return s.read(ctx)
}

// write runs do in a transaction and returns when it is durable. An error of do leaves everything as it was. do must
// not call the store's methods.
func (s *Store) write(ctx context.Context, do func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.writer != nil {
		return s.sentence(s.writer.write(ctx, do))
	}
	return s.sentence(s.patiently(ctx, writeLimit, func(ctx context.Context) error { return s.writePostgres(ctx, s.readers, do) }))
}

// beating is write for what must not wait behind others: on PostgreSQL it has a connection of its own.
func (s *Store) beating(ctx context.Context, do func(*tx) error) error {
	if s.writer != nil {
		return s.write(ctx, do)
	}
	return s.sentence(s.patiently(ctx, beatLimit, func(ctx context.Context) error { return s.writePostgres(ctx, s.pulse, do) }))
}

// How long a database may take for a transaction. One that is frozen, or behind a network that swallows packets, says
// nothing at all.
const (
	writeLimit = 15 * time.Second
	beatLimit  = 2 * time.Second
)

// patiently bounds do. Only the end of the caller's own context is given as such.
func (s *Store) patiently(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return ingot.Errorf(ingot.Unavailable, "cannot use the database: it did not answer within %v: %w", limit, err)
	}
	return err
}

// committed tells whoever waits what the transactions did.
func (s *Store) committed(wake, events bool) {
	if wake {
		s.signals.wake()
	}
	if events {
		s.signals.eventsChanged()
	}
	if s.remote != nil && (wake || events) {
		s.remote.tell(wake, events)
	}
}

// callers is an error of a function that was passed in: it goes back as it is.
type callers struct{ error }

// sentence gives an error of the database a code; those with one, and the caller's own, stay as they are.
func (s *Store) sentence(err error) error {
	var coded *ingot.Error
	if theirs, ok := errors.AsType[callers](err); ok {
		return theirs.error
	}
	switch {
	case err == nil, errors.As(err, &coded), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case s.dialect.duplicate(err):
		return ingot.Errorf(ingot.Conflict, "cannot write what another request wrote first: %w", err)
	}
	return ingot.Errorf(ingot.Unavailable, "cannot use the database: %w", err)
}
