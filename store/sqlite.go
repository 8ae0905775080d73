package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot"
)

// readers is how many connections read. A query of ours keeps a processor busy and waits for nothing, so that more of them
// than processors answer no sooner; and what a connection has (its cache, the schema, compiled statements) is too dear to
// be made anew under load, so that as many are kept as are opened.
const readers = 4

// openSQLite locks the file, migrates it, and opens a pool of readers beside the one writer.
func (s *Store) openSQLite(ctx context.Context, cfg Config) error {
	s.dialect = sqliteDialect()
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return fmt.Errorf("cannot open the store: %w", err)
	}
	if cfg.KeyFile == "" {
		cfg.KeyFile = path + ".key"
	}
	if err := s.lockFile(path); err != nil {
		return err
	}
	writing, err := openFile(ctx, path, false)
	if err != nil {
		return err
	}
	writing.SetMaxOpenConns(1)
	s.closing(writing.Close)
	if err := migrate(ctx, s.dialect, writing.DB, s.log); err != nil {
		return err
	}
	only, err := writing.Connx(ctx)
	if err != nil {
		return err
	}
	s.closing(only.Close)
	if s.keys, err = loadKeys(&conn{ctx: ctx, ext: only, store: s}, cfg); err != nil {
		return s.sentence(err)
	}
	if s.readers, err = openFile(ctx, path, true); err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(readers)
	s.readers.SetMaxIdleConns(readers)
	s.closing(s.readers.Close)
	s.compiled = &prepared{db: s.readers, most: mostPrepared}
	s.writer = newWriter(s, only)
	s.closing(func() error { s.writer.close(); return nil })
	return nil
}

// openFile opens a pool on the file. SQLite's own files beside it (-wal, -shm) take its mode.
func openFile(ctx context.Context, path string, readOnly bool) (*sqlx.DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, ingot.Errorf(ingot.Invalid, "cannot open the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	options := url.Values{
		"_txlock":       {"immediate"}, // never start as a reader and fail on becoming a writer
		"_busy_timeout": {"10000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"}, // what was answered is on disk
		"_foreign_keys": {"on"},
		"_dqs":          {"false"},
		"_pragma":       {"journal_size_limit(67108864)", "cache_size(-8192)"},
	}
	if readOnly {
		options.Set("_query_only", "on")
		options.Set("_txlock", "deferred")
		options.Set("_pragma", "cache_size(-2048)") // of each; the kernel's cache does the rest
	}
	db, err := sqlx.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("cannot open the database %s: %w", path, err)
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, ingot.Errorf(ingot.Unavailable, "cannot open the database %s: %w", path, errors.Join(err, db.Close()))
	}
	return db, nil
}

// lockFile takes the lock beside the database for as long as the process lives; the kernel gives it back at a crash.
func (s *Store) lockFile(path string) error {
	name := path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return ingot.Errorf(ingot.Invalid, "cannot open the database: %w", err)
	}
	if err := flock(f); err != nil {
		holder, _ := os.ReadFile(name)
		f.Close() //nolint:errcheck // nothing was written
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("cannot lock %s: %w", name, err)
		}
		return ingot.Errorf(ingot.Locked, "cannot open the database %s: process %s has it (lock file %s); stop that process first, or use PostgreSQL, which many can share", path, strings.TrimSpace(string(holder)), name)
	}
	s.closing(f.Close)
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	return err
}

// flock locks a file, or fails after a fifth of a second. Not at once: a process that the last holder was just starting as
// that ended has the file open until it executes its own program.
func flock(f *os.File) error {
	for tries := 0; ; tries++ {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || tries == 20 {
			return err
		}
		<-time.After(10 * time.Millisecond)
	}
}
