// Package store keeps Ingot's records in SQLite or PostgreSQL: nodes, ports, operations with their claims, history,
// events, leases and small files. Each method is one act of the domain and one transaction; what it returns without an
// error is on disk. Errors are ingot.Errors, with Ironic's wording where a client sees them.
package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/ingot-metal/ingot"
)

// Config says which database to open. Exactly one of Path and URL is given.
type Config struct {
	// Path is the SQLite file; it is made when it is missing, and one process at a time may have it open.
	Path string
	// URL is a PostgreSQL connection string (postgres://user@host/name?…).
	URL string
	// KeyFile holds the secret from which the encryption key is derived: one secret a line, the current one first.
	// For SQLite "" is Path with .key appended, and a missing file is made at the first start.
	KeyFile string
	// Secret takes the place of the key file; several lines are several secrets, the current one first.
	Secret ingot.Secret
	// Host is this process's host name in answers that have to name one; "" asks the operating system.
	Host string
	// Connections bounds how many the pool opens on PostgreSQL; 0 is 16.
	Connections int
	// ConductorTTL is how long a conductor counts as alive after its last beat, the same for all processes on one
	// database; 0 is ConductorTTL.
	ConductorTTL time.Duration
	// HistoryKept is how many entries a node's history has at most; 0 is 300 (Ironic: node_history_max_entries, pruned there
	// once a day, here as it is written).
	HistoryKept int64
	// Logger may be nil.
	Logger *slog.Logger
	// Clock is the time to write; nil is time.Now. Where it is given, leases and conductors on PostgreSQL are judged by
	// it too, otherwise by the database's clock.
	Clock func() time.Time
}

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	dialect  dialect
	readers  *sqlx.DB
	compiled *prepared // the readers'
	writer   *writer   // SQLite's; nil on PostgreSQL
	pulse    *sqlx.DB  // PostgreSQL's one connection for what must not wait behind others; nil on SQLite
	remote   *remote   // PostgreSQL's notifications; nil on SQLite
	keys     *keyring
	tables   tables
	log      *slog.Logger
	clockNow func() time.Time
	ownClock bool // no Clock was given
	ttl      time.Duration
	kept     int64 // entries of a node's history
	shared   atomic.Pointer[sharedTime]
	host     string
	signals  *signals
	line     atomic.Pointer[string] // PostgreSQL's timeline when this process looked last
	epoch    int64                  // PostgreSQL: added to transaction IDs to make event IDs
	// statements counts what was sent to the database.
	statements atomic.Int64
	closers    []func() error
}

// Open opens the database, brings its schema up to this version, and checks that the secret is the one that it was
// written with. Invalid: the configuration, the secret or the schema does not fit, and the sentence says what to do.
// Locked: another process has the SQLite file. Unavailable: the database does not answer.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if (cfg.Path == "") == (cfg.URL == "") {
		return nil, ingot.Errorf(ingot.Invalid, "cannot open the store: give either a file or a URL")
	}
	s := &Store{log: cfg.Logger, clockNow: cfg.Clock, ownClock: cfg.Clock == nil, ttl: cmp.Or(cfg.ConductorTTL, ConductorTTL), kept: cmp.Or(cfg.HistoryKept, 300), host: cfg.Host, signals: newSignals(), tables: newTables()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clockNow == nil {
		s.clockNow = time.Now
	}
	if s.host == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("cannot find this machine's host name: %w", err)
		}
		s.host = name
	}
	if cfg.Connections == 0 {
		cfg.Connections = 16
	}
	open := s.openSQLite
	if cfg.URL != "" {
		open = s.openPostgres
	}
	if err := open(ctx, cfg); err != nil {
		s.Close() //nolint:errcheck // the first error is the one that tells
		return nil, err
	}
	return s, nil
}

// Close waits for what is being written and lets go of the database. Later calls of other methods fail.
func (s *Store) Close() error {
	var first error
	for i := len(s.closers) - 1; i >= 0; i-- {
		if err := s.closers[i](); err != nil && first == nil {
			first = err
		}
	}
	s.closers = nil
	return first
}

// closing adds what Close does, in reverse order.
func (s *Store) closing(do func() error) { s.closers = append(s.closers, do) }

// Healthy says whether the database answers to reading and to writing. It writes something: a database whose disk is full,
// or that is a replica, answers to all else.
func (s *Store) Healthy(ctx context.Context) error {
	var one int
	if _, err := s.read(ctx).one([]any{&one}, "SELECT 1"); err != nil {
		return s.sentence(err)
	}
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("UPDATE encryption_keys SET created_at = created_at")
		return err
	})
}
