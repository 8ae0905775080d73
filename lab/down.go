package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// namespaceName is the network namespace of a rack.
func namespaceName(rack string) string { return "ingot-" + rack }

// downTime is how long a rack that runs may take to end by itself.
const downTime = 30 * time.Second

// Down ends a rack that runs and clears what one that was killed left behind. No such rack is no error.
func Down(ctx context.Context, name string, log *slog.Logger) error {
	record, err := ReadRecord(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if record != nil && record.Self.Alive() {
		log.Info("ending the rack", "rack", name, "pid", record.Self.PID)
		if err := record.Self.signal(syscall.SIGTERM); err != nil {
			return err
		}
		if !waitEnd(ctx, record.Self, downTime) {
			log.Warn("the rack does not end by itself; killing it", "rack", name, "pid", record.Self.PID)
			if err := record.Self.signal(syscall.SIGKILL); err != nil {
				return err
			}
			waitEnd(ctx, record.Self, downTime)
		}
	}
	if _, err := os.Stat(runDir(name)); err != nil && !namespaceExists(namespaceName(name)) {
		return nil
	}
	lock, err := lockRack(name)
	if err != nil {
		return err
	}
	return errors.Join(clearLeftovers(ctx, name, log), unlockRack(name, lock))
}

// clearLeftovers removes what a rack that no longer runs left behind; its caller holds the lock.
func clearLeftovers(ctx context.Context, name string, log *slog.Logger) error {
	record, err := ReadRecord(name)
	if err != nil {
		record = &Record{Name: name} // none, or one that was cut short
	}
	var errs []error
	for _, p := range record.Processes {
		if p.Alive() {
			log.Info("killing a leftover process", "rack", name, "process", p.Role, "pid", p.PID)
			errs = append(errs, p.signal(syscall.SIGKILL))
			waitEnd(ctx, p, downTime)
		}
	}
	namespace := namespaceName(name)
	pids, err := namespacePIDs(ctx, namespace)
	errs = append(errs, err)
	for _, pid := range pids { // SSH sessions, and what was started while the record was being written
		if p, err := processOf("in the namespace", pid); err == nil {
			log.Info("killing a leftover process", "rack", name, "pid", pid)
			errs = append(errs, p.signal(syscall.SIGKILL))
			waitEnd(ctx, p, downTime)
		}
	}
	errs = append(errs, deleteNamespace(ctx, namespace))
	if record.Temporary && record.Dir != "" {
		errs = append(errs, os.RemoveAll(record.Dir))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot clear all that rack %s left: %w", name, err)
	}
	return nil
}

// waitEnd waits until a process that is nobody's child of ours has ended.
func waitEnd(ctx context.Context, p Process, most time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for p.Alive() {
		select {
		case <-ctx.Done():
			return false
		case <-again.C:
		}
	}
	return true
}
