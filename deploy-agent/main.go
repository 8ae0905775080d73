// Command deploy-agent is Ingot's ramdisk agent: process 1 of an initramfs on a server that is being inspected, cleaned
// or installed. It speaks ironic-python-agent's protocol, to Ingot or to Ironic.
//
// As process 1 it sets up the machine, takes its settings from the kernel's command line and never returns. Started as
// an ordinary process it needs --sim DIR (or --disk FILE): it then pretends to be a machine whose disks are files, and
// ends with status 0 when it is told to power off, with status 64 when it is told to reboot, and with 1 when it fails.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/ingot-metal/ingot/deploy-agent/internal/system"
)

// The heap is kept small whatever is written: the ramdisk itself lives in memory too.
const (
	memoryLimit = 48 << 20
	gcPercent   = 50
)

// statusReboot is the exit status of a simulated machine that reboots.
const statusReboot = 64

func main() {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(gcPercent)
	if os.Getpid() == 1 {
		processOne()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := simulate(ctx, os.Args[1:])
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case errors.Is(err, system.ErrPowerOff), interrupted:
		os.Exit(0)
	case errors.Is(err, system.ErrReboot):
		os.Exit(statusReboot)
	case err != nil:
		fmt.Fprintln(os.Stderr, "deploy-agent:", err)
		os.Exit(1)
	}
}
