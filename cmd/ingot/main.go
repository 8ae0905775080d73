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
	Serve   serveCommand   `cmd:"" help:"Run the service: API, conductor, boot service."`
	Lab     labCommand     `cmd:"" help:"A virtual rack: machines with BMCs, a network, and the service."`
	Ramdisk ramdiskCommand `cmd:"" help:"Build the ramdisk that machines boot while they are provisioned."`

	Node       nodeCommand       `cmd:"" help:"Nodes: servers and guests."`
	Port       portCommand       `cmd:"" help:"Network interfaces of nodes."`
	Portgroup  portgroupCommand  `cmd:"" help:"Bonds of ports."`
	Chassis    chassisCommand    `cmd:"" help:"What nodes are put together in."`
	Volume     volumeCommand     `cmd:"" help:"Storage elsewhere that nodes use."`
	Allocation allocationCommand `cmd:"" help:"Claims of nodes by class and traits."`
	Template   templateCommand   `cmd:"" help:"Deploy templates: steps that a trait asks for."`
	Runbook    runbookCommand    `cmd:"" help:"Named lists of clean and service steps."`
	Rule       ruleCommand       `cmd:"" help:"Inspection rules."`
	Driver     driverCommand     `cmd:"" help:"Ways to talk to machines."`
	Conductor  conductorCommand  `cmd:"" help:"Processes that work on nodes."`
	Flavor     flavorCommand     `cmd:"" help:"Resource classes as the shapes of guests."`
	Placement  placementCommand  `cmd:"" help:"Where guests could be."`
	Network    networkCommand    `cmd:"" help:"Networks that machines boot on."`
	Shard      shardCommand      `cmd:"" help:"Parts that nodes are divided into for clients."`
	DB         dbCommand         `cmd:"" help:"The database."`
	User       userCommand       `cmd:"" help:"Users of a service with http_basic authentication."`
	Completion completionCommand `cmd:"" help:"Print the shell's completion of commands and names."`
	Complete   completeCommand   `cmd:"" hidden:""`

	Version kong.VersionFlag `help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run carries out a command line and gives the exit code.
func run(ctx context.Context, args []string) int {
	parser, err := newParser(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ingot:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "ingot: %s; --help tells more\n", err)
		return exitUsage
	}
	if err = bind(parsed); err == nil {
		err = parsed.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ingot:", err)
		return exitCode(err)
	}
	return 0
}
