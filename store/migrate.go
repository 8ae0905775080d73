package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/ingot-metal/ingot"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to this version. A schema that a newer version made is refused: this one would not know
// what it must not touch.
func migrate(ctx context.Context, d dialect, db *sql.DB, log *slog.Logger) error {
	provider, err := newProvider(d, db, log)
	if err != nil {
		return err
	}
	have, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return ingot.Errorf(ingot.Unavailable, "cannot read the database's schema version: %w", err)
	}
	if have > newest {
		return ingot.Errorf(ingot.Invalid, "cannot open the database: a newer version of Ingot made its schema (%d; this one knows up to %d); run that version, or have it take the schema back (stop all processes, then `ingot db downgrade --to %d`), or go back to a copy of the database from before it", have, newest, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return ingot.Errorf(ingot.Unavailable, "cannot bring the database's schema from version %d to %d: %w", have, newest, err)
	}
	return nil
}

func newProvider(d dialect, db *sql.DB, log *slog.Logger) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations, "migrations/"+d.name)
	if err != nil {
		return nil, err
	}
	kind := goose.DialectSQLite3
	if d.name == "postgres" {
		kind = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(kind, db, folder, goose.WithDisableGlobalRegistry(true), goose.WithSlog(log))
	if err != nil {
		return nil, fmt.Errorf("cannot read the migrations: %w", err)
	}
	return provider, nil
}
