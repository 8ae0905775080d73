package main

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot/api/client"
)

// nodeEvents is `ingot node events`.
type nodeEvents struct {
	Node  string   `arg:"" optional:"" help:"UUID or name; all nodes unless told."`
	Type  []string `help:"Only those types: node.state, or node. for all that begin so."`
	After *int64   `help:"Begin after the event with this ID; 0 is all that are kept."`
}

// Run prints events as they come, until it is ended or the stream breaks off.
func (c *nodeEvents) Run(ctx context.Context, s *session) error {
	for e, err := range s.Events(ctx, client.EventQuery{Node: c.Node, Types: c.Type, After: c.After}) {
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case s.output != "table":
			if err := s.printDocument(e); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(s.out, "%s  %d  %s  %s  %s\n", e.At.UTC().Format("15:04:05.000"), e.ID, e.Node, e.Type, cell(e.Data))
	}
	return nil
}
