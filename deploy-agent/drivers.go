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

// The waits for devices: quiet is how long nothing new has to come for the first look to be over, and after it the
// machine is looked at for late ones often for a while, then seldom.
const (
	quiet    = 400 * time.Millisecond
	oftenFor = 3 * time.Minute
	often    = 3 * time.Second
	seldom   = 30 * time.Second
)

// drivers loads kernel modules for what is in the machine.
type drivers struct {
	log    *slog.Logger
	clock  clock.Clock
	skip   []string
	loader *modules.Loader
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
	report, err := d.loader.Settle(ctx, os.DirFS("/sys"), calm, func(ctx context.Context, t time.Duration) error {
		return clock.Wait(ctx, d.clock, t)
	})
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

// watch goes on looking for devices until ctx ends: controllers that are late, what is plugged in.
func (d *drivers) watch(ctx context.Context) error {
	began := d.clock.Now()
	for {
		pause := often
		if d.clock.Now().Sub(began) > oftenFor {
			pause = seldom
		}
		if err := clock.Wait(ctx, d.clock, pause); err != nil {
			return err
		}
		if err := d.settle(ctx, 0); err != nil {
			return err
		}
	}
}
