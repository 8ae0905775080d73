package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// maxEvents bounds one Settle, against a device that comes and goes for ever.
const maxEvents = 10000

// Errors of Events.Next.
var (
	// ErrQuiet: no device came within the time.
	ErrQuiet = errors.New("no new device")
	// ErrLost: events were lost; look at all devices again.
	ErrLost = errors.New("device events were lost")
)

// Events tells of new devices; Uevents is the kernel's.
type Events interface {
	// Next waits for a new device that has a modalias, and returns it; ErrQuiet when the time is over. It returns early
	// with the context's error when that ends.
	Next(ctx context.Context, wait time.Duration) (modalias string, err error)
}

// Report says what Settle did.
type Report struct {
	// Loaded are the names of modules that were inserted, in order.
	Loaded []string
	// Failed are modules that refused, with the kernel's reason. ENODEV is common: a driver that looked and left.
	Failed map[string]error
	// Settled is false when new devices kept coming without end.
	Settled bool
}

// Settle loads drivers for every device that sysfs (sys, the folder /sys) shows, and then for those that come, since a
// loaded driver may find further devices behind a bridge, host adapter or hub. It ends when no new device came for the time
// quiet. events must have been opened before the call, so that none falls between looking and listening.
func (l *Loader) Settle(ctx context.Context, sys fs.FS, events Events, quiet time.Duration) (Report, error) {
	r := Report{Failed: map[string]error{}}
	seen := map[string]bool{}
	look := true
	for range maxEvents {
		if look {
			aliases, err := Modaliases(sys)
			if err != nil {
				return r, err
			}
			for _, a := range aliases {
				l.plug(a, seen, &r)
			}
		}
		alias, err := events.Next(ctx, quiet)
		look = errors.Is(err, ErrLost)
		switch {
		case errors.Is(err, ErrQuiet):
			r.Settled = true
			return r, nil
		case err != nil && !look:
			return r, fmt.Errorf("cannot wait for devices: %w", err)
		case err == nil:
			l.plug(alias, seen, &r)
		}
	}
	return r, nil
}

// plug loads what fits an alias that was not seen before.
func (l *Loader) plug(alias string, seen map[string]bool, r *Report) {
	if seen[alias] {
		return
	}
	seen[alias] = true
	for _, m := range l.Index.Lookup(alias) {
		loaded, err := l.load(m)
		r.Loaded = append(r.Loaded, loaded...)
		if err != nil {
			r.Failed[m.Name] = err
		}
	}
}

// Modaliases lists the modaliases of all devices under sys (/sys), each once and sorted. Devices that vanish meanwhile are
// passed over. Reading all of sysfs takes seconds on a slow machine, so it leaves out the two large folders that hold no
// hardware, but for the one file in each that names the processor and the machine.
func Modaliases(sys fs.FS) ([]string, error) {
	files := []string{"devices/system/cpu/modalias", "devices/virtual/dmi/id/modalias"}
	err := fs.WalkDir(sys, "devices", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && p != "devices":
			return nil
		case err != nil:
			return err
		case d.IsDir() && (p == "devices/system" || p == "devices/virtual" || path.Base(p) == "power"):
			return fs.SkipDir
		case path.Base(p) == "modalias" && !d.IsDir():
			files = append(files, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list devices: %w", err)
	}
	var out []string
	for _, p := range files {
		text, err := fs.ReadFile(sys, p)
		if err != nil {
			continue
		}
		if a := strings.TrimSpace(string(text)); a != "" {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
