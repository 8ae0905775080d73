package main

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot/store"
)

// dbDowngrade is `ingot db downgrade`, of the version that made the schema.
type dbDowngrade struct {
	place
	KeyFile string `name:"key-file" help:"The secret; the one in the data folder unless told." type:"existingfile"`
	To      int64  `required:"" help:"Version of the schema, as the older Ingot names it when it refuses to start."`
}

// Run takes the schema back.
func (d *dbDowngrade) Run(ctx context.Context) error {
	cfg, err := d.config(d.KeyFile)
	if err != nil {
		return err
	}
	if err := store.Downgrade(ctx, cfg, d.To); err != nil {
		return err
	}
	fmt.Printf("the schema is at version %d; start the older Ingot, and no newer one: it would take the schema forward again\n", d.To)
	return nil
}
