package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
	"github.com/ingot-metal/ingot/deploy-agent/internal/system"
)

// The waits for devices: nothing new has to come for quiet until the first look is over. Later ones get their drivers as
// soon as they come, and the console is told once nothing new came for a while.
const (
	quiet = 400 * time.Millisecond
	while = time.Minute
)

// drivers loads kernel modules for what is in the machine.
type drivers struct {
	log    *slog.Logger
	skip   []string
	loader *modules.Loader
	events *modules.Uevents
	told   []string // failures that are on the console already
}

// open reads the module index; a ramdisk without modules runs on what its kernel has built in.
func (d *drivers) open() {
	dir := filepath.Join("/lib/modules", system.Release())
	index, err := modules.Open(os.DirFS(dir))
	if err != nil {
		d.log.Warn("no kernel modules: only drivers that are built into the kernel will work", "error", err)
		return
	}
	if d.events, err = modules.ListenUevents(); err != nil {
		d.log.Error("no drivers will be loaded", "error", err)
		return
	}
	d.loader = &modules.Loader{Index: index, Insert: modules.Kernel(dir), Skip: d.skip}
}

// named loads what no device asks for: the packet sockets of DHCP, UEFI variables, and the BMC's interface, which
// SMBIOS or ACPI announce only to those drivers.
func (d *drivers) named(names ...string) {
	if d.loader == nil {
		return
	}
	for _, name := range names {
		if err := d.loader.Load(name); err != nil {
			d.log.Debug("a module that may be missing is missing", "module", name, "error", err)
		}
	}
}

// settle loads drivers until no new device comes.
func (d *drivers) settle(ctx context.Context, calm time.Duration) error {
	if d.loader == nil {
		return nil
	}
	report, err := d.loader.Settle(ctx, os.DirFS("/sys"), d.events, calm)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		d.log.Error("cannot look for devices", "error", err)
	}
	if len(report.Loaded) > 0 {
		d.log.Info("drivers loaded", "modules", report.Loaded)
	}
	for name, err := range report.Failed {
		if !slices.Contains(d.told, name) {
			d.told = append(d.told, name)
			d.log.Warn("a driver did not load", "module", name, "error", err)
		}
	}
	return nil
}

// watch goes on until ctx ends: controllers that are late, what is plugged in.
func (d *drivers) watch(ctx context.Context) error {
	if d.loader == nil {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	defer d.events.Close()
	for {
		if err := d.settle(ctx, while); err != nil {
			return err
		}
		if err := clock.Wait(ctx, clock.Real{}, time.Second); err != nil { // a socket that fails at once must not spin
			return err
		}
	}
}
