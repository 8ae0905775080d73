// Command ingot is the whole service and its tools: `ingot serve` provisions servers, `ingot lab` is a virtual rack, the
// others are for daily work.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "0.1.0"

// commands is every subcommand; each has a file of its own.
type commands struct {
	Serve   serveCommand     `cmd:"" help:"Run the service: API, conductor, boot service."`
	Lab     labCommand       `cmd:"" help:"A virtual rack: machines with BMCs, a network, and the service."`
	Ramdisk ramdiskCommand   `cmd:"" help:"Build the ramdisk that machines boot while they are provisioned."`
	Version kong.VersionFlag `help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var all commands
	parsed := kong.Parse(&all, kong.Name("ingot"), kong.Description("Ingot provisions bare metal."), kong.UsageOnError(),
		kong.Vars{"version": version, "cache": cacheDir()}, kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "ingot:", err)
		os.Exit(1)
	}
}
