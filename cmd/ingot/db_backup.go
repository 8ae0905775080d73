package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/ingot-metal/ingot/store"
)

// dbBackup is `ingot db backup`.
type dbBackup struct {
	Data string `required:"" help:"Folder of the embedded database; a process may be serving it." type:"existingdir"`
	To   string `required:"" help:"File to make." type:"path"`
}

// Run copies, and says what is not in the copy.
func (d *dbBackup) Run(ctx context.Context) error {
	path := filepath.Join(d.Data, "ingot.db")
	if err := store.Backup(ctx, path, d.To); err != nil {
		return err
	}
	fmt.Printf("copied; without %s.key its secrets cannot be read: keep a copy of that file, apart from this one\n", path)
	return nil
}

// dbRestore is `ingot db restore`.
type dbRestore struct {
	Data    string `required:"" help:"Folder without an embedded database." type:"existingdir"`
	From    string `required:"" help:"The backup." type:"existingfile"`
	KeyFile string `name:"key-file" help:"The secret that goes with it; ingot.db.key in the data folder unless told." type:"existingfile"`
}

// Run puts the backup in place, opens it as this version does, and says what the service will do with it.
func (d *dbRestore) Run(ctx context.Context) error {
	path := filepath.Join(d.Data, "ingot.db")
	if err := store.Restore(ctx, d.From, path); err != nil {
		return err
	}
	path, key, err := embedded(d.Data, d.KeyFile)
	if err != nil {
		return fmt.Errorf("the backup is in place, but: %w", err)
	}
	s, err := store.Open(ctx, store.Config{Path: path, KeyFile: key})
	if err != nil {
		return fmt.Errorf("the backup is in place, but: %w", err)
	}
	fmt.Println("restored; the service goes on with the operations that were under way then, and asks the machines how they are first")
	return s.Close()
}
