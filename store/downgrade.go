package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"github.com/ingot-metal/ingot"
)

// Downgrade takes the schema of a database that is there back to a version that an older Ingot knows, and with it what only
// newer ones keep. Locked: a process is using the database. Invalid: there is no such version.
func Downgrade(ctx context.Context, cfg Config, to int64) error {
	s, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	if err := errors.Join(s.unused(ctx), s.Close()); err != nil {
		return err
	}
	if cfg.URL != "" {
		db, err := sql.Open("pgx", cfg.URL)
		if err != nil {
			return ingot.Errorf(ingot.Invalid, "cannot read the database URL: %w", err)
		}
		defer db.Close() //nolint:errcheck // what was done is committed
		return s.downTo(ctx, db, to)
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return err
	}
	place := &Store{}
	defer place.Close() //nolint:errcheck // a lock
	if err := place.lockFile(path); err != nil {
		return err
	}
	db, err := openFile(ctx, path, false)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // what was done is committed
	db.SetMaxOpenConns(1)
	return s.downTo(ctx, db.DB, to)
}

// unused refuses a database on which a conductor lives. An embedded one's file was locked.
func (s *Store) unused(ctx context.Context) error {
	all, err := s.Conductors(ctx)
	if err != nil || s.writer != nil {
		return err
	}
	for _, c := range all {
		if c.Alive {
			return ingot.Errorf(ingot.Locked, "cannot take the schema back while conductor %s is alive: stop all processes first", c.Hostname)
		}
	}
	return nil
}

func (s *Store) downTo(ctx context.Context, db *sql.DB, to int64) error {
	provider, err := newProvider(s.dialect, db, s.log)
	if err != nil {
		return err
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return s.sentence(err)
	}
	if to < 1 || to > have {
		return ingot.Errorf(ingot.Invalid, "cannot take the schema back to version %d: give one from 1 to %d; the older Ingot names its own when it refuses to start", to, have)
	}
	if _, err := provider.DownTo(ctx, to); err != nil {
		return ingot.Errorf(ingot.Unavailable, "cannot take the database's schema from version %d back to %d: %w", have, to, err)
	}
	return nil
}
