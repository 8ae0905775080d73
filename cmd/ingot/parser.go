package main

import (
	"context"

	"github.com/alecthomas/kong"
)

// newParser is the command line with all commands.
func newParser(ctx context.Context) (*kong.Kong, error) {
	return kong.New(&commands{}, kong.Name("ingot"), kong.Description("Ingot provisions bare metal."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "api", Title: "The service, and how answers are printed:"},
			{Key: "records", Title: "Records:"},
			{Key: "verbs", Title: "Verbs of the state table:"},
			{Key: "machine", Title: "The machine:"},
			{Key: "knowledge", Title: "What is known:"},
		}),
		kong.Vars{"version": version, "cache": cacheDir()}, kong.BindTo(ctx, (*context.Context)(nil)))
}
