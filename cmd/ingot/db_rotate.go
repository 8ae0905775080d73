package main

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot/store"
)

// dbRotateSecret is `ingot db rotate-secret`. On PostgreSQL the processes go on working meanwhile.
type dbRotateSecret struct {
	place
	KeyFile string `name:"key-file" help:"The secrets, one a line, the new one first; the one in the data folder unless told." type:"existingfile"`
}

// Run encrypts anew. What was done stays done when it is ended in the middle.
func (d *dbRotateSecret) Run(ctx context.Context) error {
	s, err := d.open(ctx, d.KeyFile)
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // what was written is committed
	n, err := s.Rotate(ctx)
	if err != nil {
		return fmt.Errorf("%w; %d records are done, and running it again goes on with the others", err, n)
	}
	fmt.Printf("encrypted %d records anew; the first line of the key file is all that is needed now\n", n)
	return nil
}

// place is where a database is.
type place struct {
	Data     string `help:"Folder of an embedded database. No process may be serving it." type:"existingdir" xor:"place" required:""`
	Database string `help:"postgres:// URL." xor:"place" required:""`
}

// open opens a database that is there already.
func (p *place) open(ctx context.Context, keyFile string) (*store.Store, error) {
	cfg, err := p.config(keyFile)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, cfg)
}

func (p *place) config(keyFile string) (store.Config, error) {
	if p.Database != "" {
		return store.Config{URL: p.Database, KeyFile: keyFile}, nil
	}
	path, key, err := embedded(p.Data, keyFile)
	return store.Config{Path: path, KeyFile: key}, err
}
