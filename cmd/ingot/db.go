package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ingot-metal/ingot/store"
)

// dbCommand is `ingot db`.
type dbCommand struct {
	Copy         dbCopy         `cmd:"" help:"Copy the embedded database into an empty PostgreSQL, to go on there."`
	Backup       dbBackup       `cmd:"" help:"Copy the embedded database into a file, while the service runs. (PostgreSQL has pg_dump.)"`
	Restore      dbRestore      `cmd:"" help:"Put a backup of an embedded database into a data folder that has none."`
	Downgrade    dbDowngrade    `cmd:"" help:"Take the schema back for an older Ingot. All processes have to be stopped."`
	RotateSecret dbRotateSecret `cmd:"" help:"Encrypt everything anew under the first secret of the key file; the others are no longer needed then."`
}

type dbCopy struct {
	Data     string `required:"" help:"Folder of the embedded database. No process may be serving it." type:"existingdir"`
	Database string `required:"" help:"postgres:// URL of an empty database."`
	KeyFile  string `name:"key-file" help:"The secret; the one in the data folder unless told. The processes on PostgreSQL need the same." type:"existingfile"`
}

// Run copies, and says what comes next.
func (d *dbCopy) Run(ctx context.Context) error {
	path, key, err := embedded(d.Data, d.KeyFile)
	if err != nil {
		return err
	}
	d.KeyFile = key
	from, err := store.Open(ctx, store.Config{Path: path, KeyFile: d.KeyFile})
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // nothing was written
	to, err := store.Open(ctx, store.Config{URL: d.Database, KeyFile: d.KeyFile})
	if err != nil {
		return err
	}
	defer to.Close() //nolint:errcheck // what was copied is committed
	copied, err := from.CopyTo(ctx, to)
	if err != nil {
		return err
	}
	for _, table := range slices.Sorted(maps.Keys(copied)) {
		if copied[table] > 0 {
			fmt.Printf("%s: %d\n", table, copied[table])
		}
	}
	fmt.Printf("copied; now set database.url, and database.key_file to a copy of %s that only its owner can read, and start the service\n", d.KeyFile)
	return nil
}

// embedded finds the embedded database of a data folder and its key file. Opening one that is not there would make it.
func embedded(data, keyFile string) (path, key string, err error) {
	path = filepath.Join(data, "ingot.db")
	if _, err := os.Stat(path); err != nil {
		return "", "", fmt.Errorf("cannot open the database: no embedded database in %s: %w", data, err)
	}
	key = cmp.Or(keyFile, path+".key")
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("cannot open the database: the key file %s is missing; put it back from a backup", key)
	}
	return path, key, nil
}
