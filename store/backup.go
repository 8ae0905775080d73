package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jmoiron/sqlx"

	"github.com/ingot-metal/ingot"
)

// Backup writes a copy of an SQLite database, as it is at one moment, into a new file. A service may be using it: the copy
// waits for nobody and nobody waits for the copy. Secrets in it are encrypted, and the key is not in it. Invalid: there is
// no database, or a file under the new name.
func Backup(ctx context.Context, path, to string) error {
	if _, err := os.Stat(path); err != nil {
		return ingot.Errorf(ingot.Invalid, "cannot make a backup of the database: %w", err)
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // SQLite fills an empty file
	if err != nil {
		return ingot.Errorf(ingot.Invalid, "cannot make a backup: %w", err)
	}
	err = copyOut(ctx, path, to)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(ingot.Errorf(ingot.Unavailable, "cannot make a backup of %s: %w", path, err), os.Remove(to))
	}
	return syncFolder(filepath.Dir(to))
}

func copyOut(ctx context.Context, path, to string) error {
	db, err := openFile(ctx, path, true)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written there
	db.SetMaxOpenConns(1)
	// query_only would forbid the copy, too.
	if _, err := db.ExecContext(ctx, "PRAGMA query_only = off"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return err
	}
	return sound(ctx, to)
}

// sound refuses a file that is not a whole database of Ingot's.
func sound(ctx context.Context, path string) error {
	db, err := sqlx.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	var found string
	if err := db.GetContext(ctx, &found, "PRAGMA integrity_check(1)"); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("it is damaged: %s", found)
	}
	var nodes int
	if err := db.GetContext(ctx, &nodes, "SELECT count(*) FROM nodes"); err != nil {
		return fmt.Errorf("it is no database of Ingot's: %w", err)
	}
	return nil
}

// Restore puts a backup where no database is. Invalid: the backup is no whole database, or something is in its place.
// Locked: a service has the place.
func Restore(ctx context.Context, from, path string) (err error) {
	place := &Store{}
	if err := place.lockFile(path); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return ingot.Errorf(ingot.Invalid, "cannot restore: %s is there: move away what is left of the old database (%s, %s-wal and %s-shm) first", file, path, path, path)
		}
	}
	if err := sound(ctx, from); err != nil {
		return ingot.Errorf(ingot.Invalid, "cannot restore %s: %w", from, err)
	}
	temporary := path + ".new"
	if err := copyFile(from, temporary); err != nil {
		return fmt.Errorf("cannot restore %s: %w", from, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("cannot restore %s: %w", from, err)
	}
	return syncFolder(filepath.Dir(path))
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, source)
	return errors.Join(err, f.Sync(), f.Close())
}
