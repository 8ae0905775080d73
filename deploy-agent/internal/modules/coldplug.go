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

// maxPasses bounds Settle, which needs few: buses are found behind bridges, hosts and hubs, each one pass deeper.
const maxPasses = 200

// Report says what Settle did.
type Report struct {
	// Loaded are the names of modules that were inserted, in order.
	Loaded []string
	// Failed are modules that refused, with the kernel's reason. ENODEV is common: a driver that looked and left.
	Failed map[string]error
	// Settled is false when new devices kept coming until the context or the limit of passes ended the search.
	Settled bool
}

// Settle loads drivers for every device that sysfs shows, again and again, since a loaded driver may find further
// devices. It looks at least once and ends when nothing new came for the time quiet; wait is called between passes and returns early with an error
// when the context ends. sys is /sys.
func (l *Loader) Settle(ctx context.Context, sys fs.FS, quiet time.Duration, wait func(context.Context, time.Duration) error) (Report, error) {
	r := Report{Failed: map[string]error{}}
	const rest = 50 * time.Millisecond
	seen := map[string]bool{}
	calm := time.Duration(0)
	for range maxPasses {
		fresh, err := l.pass(sys, seen, &r)
		if err != nil {
			return r, err
		}
		if fresh {
			calm = 0
			continue
		}
		if calm >= quiet {
			r.Settled = true
			return r, nil
		}
		if err := wait(ctx, rest); err != nil {
			return r, fmt.Errorf("cannot wait for devices: %w", err)
		}
		calm += rest
	}
	return r, nil
}

// pass handles aliases that were not seen before and tells whether there were any.
func (l *Loader) pass(sys fs.FS, seen map[string]bool, r *Report) (fresh bool, err error) {
	aliases, err := Modaliases(sys)
	if err != nil {
		return false, err
	}
	for _, a := range aliases {
		if seen[a] {
			continue
		}
		seen[a] = true
		fresh = true
		for _, m := range l.Index.Lookup(a) {
			loaded, err := l.load(m)
			r.Loaded = append(r.Loaded, loaded...)
			if err != nil {
				r.Failed[m.Name] = err
			}
		}
	}
	return fresh, nil
}

// Modaliases lists the modaliases of all devices under sys (/sys), each once, in the order of a sorted walk. Devices that
// vanish meanwhile are passed over.
func Modaliases(sys fs.FS) ([]string, error) {
	var out []string
	err := fs.WalkDir(sys, "devices", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p != "devices" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
				return nil
			}
			return err
		}
		if d.IsDir() || path.Base(p) != "modalias" {
			return nil
		}
		text, err := fs.ReadFile(sys, p)
		if err != nil {
			return nil
		}
		if a := strings.TrimSpace(string(text)); a != "" {
			out = append(out, a)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list devices: %w", err)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
