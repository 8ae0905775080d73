// Package erase makes disks forget: their metadata, or everything.
package erase

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/steps"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
	"github.com/ingot-metal/ingot/images/disk"
)

// Eraser erases the disks that its Chooser allows.
type Eraser struct {
	Chooser *target.Chooser
	Clock   clock.Clock
	Log     *slog.Logger
	// Before is called before anything is erased: what was written by this agent is no longer there.
	Before func()
}

// maxConcurrency bounds how many disks are erased at once, whatever Ironic asks for: each has a buffer of its own.
const maxConcurrency = 8

// Steps are the clean and deploy steps, with ironic-python-agent's names and priorities.
func (e *Eraser) Steps() []steps.Step {
	return []steps.Step{
		{
			Name: "erase_devices", Interface: "deploy", Abortable: true, In: map[steps.Kind]int{steps.Clean: 10},
			Run: e.step(func(ctx context.Context, j *job) error { return j.everything(ctx) }),
		},
		{
			Name: "erase_devices_metadata", Interface: "deploy", Abortable: true,
			In:  map[steps.Kind]int{steps.Clean: 99, steps.Deploy: 0},
			Run: e.step(func(ctx context.Context, j *job) error { return j.metadata(ctx) }),
		},
		{
			Name: "erase_devices_express", Interface: "deploy", Abortable: true, In: map[steps.Kind]int{steps.Clean: 0},
			Run: e.step(func(ctx context.Context, j *job) error { return j.express(ctx) }),
		},
	}
}

// settings are what Ironic's operator decided (driver_internal_info, from its [deploy] options).
type settings struct {
	Iterations       *int  `json:"agent_erase_devices_iterations"`
	Zeroize          *bool `json:"agent_erase_devices_zeroize"`
	SecureNVMe       *bool `json:"agent_enable_nvme_secure_erase"`
	ContinueInsecure bool  `json:"agent_continue_if_secure_erase_failed"`
	SkipReadOnly     bool  `json:"agent_erase_skip_read_only"`
	Concurrency      int   `json:"disk_erasure_concurrency"`
	WipeSpecial      bool  `json:"wipe_special_filesystems"`
}

func (s settings) overwrites() bool {
	return s.Iterations == nil || *s.Iterations > 0 || s.Zeroize == nil || *s.Zeroize
}

func (s settings) nvme() bool { return s.SecureNVMe == nil || *s.SecureNVMe }

// job is one disk to be erased.
type job struct {
	*Eraser
	disk    ingot.InventoryDisk
	allowed map[string]bool // the names of all disks that may be erased
	set     settings
	did     string            // what was done, for people
	moved   func(bytes int64) // counts progress
}

// step erases all allowed disks, several at a time. Every disk is tried; the error names those that failed.
func (e *Eraser) step(do func(context.Context, *job) error) func(context.Context, *steps.Call) (any, error) {
	return func(ctx context.Context, call *steps.Call) (any, error) {
		var set settings
		if err := settingsOf(call, &set); err != nil {
			return nil, err
		}
		disks, err := e.Chooser.Erasable()
		if err != nil {
			return nil, err
		}
		e.Before()
		jobs := e.jobs(disks, set, call.Call)
		failures := make([]error, len(jobs))
		var group errgroup.Group
		group.SetLimit(min(max(set.Concurrency, 1), maxConcurrency))
		for i, j := range jobs {
			group.Go(func() error {
				failures[i] = j.one(ctx, do)
				return nil
			})
		}
		_ = group.Wait() // the failures are in their list
		results := map[string]any{}
		for _, j := range jobs {
			results[j.disk.Name] = j.did
		}
		if err := errors.Join(failures...); err != nil {
			return nil, command.Fail("BlockDeviceEraseError", 500, "Error erasing block device", "%s", err)
		}
		return results, nil
	}
}

func settingsOf(call *steps.Call, set *settings) error {
	var node struct {
		Info *settings `json:"driver_internal_info"`
	}
	node.Info = set
	return call.Decode("node", &node)
}

// jobs makes a job of each disk, sharing one count of progress.
func (e *Eraser) jobs(disks []ingot.InventoryDisk, set settings, call *command.Call) []*job {
	var total int64
	allowed := map[string]bool{}
	for _, d := range disks {
		total += d.Size
		allowed[d.Name] = true
	}
	var done atomic.Int64
	began := e.Clock.Now()
	moved := func(n int64) {
		now := done.Add(n)
		spent := max(e.Clock.Now().Sub(began).Seconds(), 0.001)
		call.Progress(ingot.AgentProgress{Phase: "erase", Done: now, Total: total, Rate: float64(now) / spent})
	}
	var out []*job
	for _, d := range disks {
		out = append(out, &job{Eraser: e, disk: d, allowed: allowed, set: set, moved: moved})
	}
	return out
}

// one erases one disk.
func (j *job) one(ctx context.Context, do func(context.Context, *job) error) error {
	began := j.Clock.Now()
	if err := do(ctx, j); err != nil {
		return fmt.Errorf("%s: %w", j.disk.Name, err)
	}
	j.Log.Info("disk erased", "disk", j.disk.Name, "how", j.did, "time", j.Clock.Now().Sub(began))
	return nil
}

// metadata wipes what makes the disk look used. A read-only disk is passed over, as in ironic-python-agent.
func (j *job) metadata(ctx context.Context) error {
	if j.disk.ReadOnly {
		j.did = "skipped: read-only"
		return nil
	}
	d, err := disk.Open(j.disk.Name)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := j.guard(d); err != nil {
		return err
	}
	if err := disk.WipeMetadata(ctx, d); err != nil {
		return err
	}
	j.did = "metadata wiped"
	j.reread(ctx, d)
	return nil
}

// reread has the kernel forget the partitions; a kernel that cannot is no failure of the erasure.
func (j *job) reread(ctx context.Context, d *disk.Device) {
	if err := d.RereadPartitions(ctx, nil); err != nil {
		j.Log.Warn("the kernel still sees the old partitions", "disk", j.disk.Name, "error", err)
	}
}

// express uses what takes seconds: NVMe's own erasure, else metadata alone.
func (j *job) express(ctx context.Context) error {
	if j.disk.ReadOnly || !j.set.nvme() {
		return j.metadata(ctx)
	}
	done, err := j.secureNVMe(ctx)
	if err != nil {
		j.Log.Error("secure erasure failed; wiping metadata only", "disk", j.disk.Name, "error", err)
	}
	if done && err == nil {
		return nil
	}
	return j.metadata(ctx)
}

// everything erases all data: by NVMe's format command or the device's secure discard where there is one, else by
// writing zeros once over the whole disk. ATA's security feature is not used.
func (j *job) everything(ctx context.Context) error {
	if j.disk.ReadOnly {
		if j.set.SkipReadOnly {
			j.did = "skipped: read-only"
			return nil
		}
		return errors.New("the device is flagged read-only, and the conductor has not signaled this is a permitted case")
	}
	if j.set.nvme() {
		done, err := j.secureNVMe(ctx)
		if err != nil && !j.set.ContinueInsecure {
			return fmt.Errorf("secure erase failed, and falling back to overwriting is not enabled: %w", err)
		}
		if done && err == nil {
			j.moved(j.disk.Size)
			return nil
		}
	}
	return j.overwrite(ctx)
}
