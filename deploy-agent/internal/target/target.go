// Package target says which disks the agent may touch: the one to install on, and those that may be erased. Both follow
// from what the node's owner wrote (root_device, skip_block_devices).
package target

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/hints"
)

// Lister looks at the disks that are there now.
type Lister interface {
	Disks() []ingot.InventoryDisk
}

// look is how often disks are looked at while one is awaited.
const look = time.Second

// Chooser chooses disks for the node that this machine is.
type Chooser struct {
	Disks Lister
	Clock clock.Clock
	Log   *slog.Logger
	// Hints are for a node that has none (root_device on the kernel command line).
	Hints map[string]any
	// Until is how long a root disk is waited for: RAID controllers and SANs can be a minute late.
	Until time.Time

	mu   sync.Mutex
	node map[string]any
}

// SetNode takes the node as Ironic last showed it.
func (c *Chooser) SetNode(node map[string]any) {
	if node == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.node = node
}

// Node is the node as Ironic last showed it, nil before lookup.
func (c *Chooser) Node() map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.node
}

// Root is the disk to install on. Where none fits it is waited for until Until; the error then lists the disks seen.
func (c *Chooser) Root(ctx context.Context) (ingot.InventoryDisk, error) {
	for told := false; ; {
		disks, err := c.allowed()
		if err != nil {
			return ingot.InventoryDisk{}, err
		}
		disk, err := hints.Pick(disks, c.rootHints())
		if err == nil {
			return disk, nil
		}
		if !errors.Is(err, hints.ErrNoDisk) || !c.Clock.Now().Before(c.Until) {
			return ingot.InventoryDisk{}, command.DeviceNotFound("%s", err)
		}
		if !told {
			c.Log.Info("waiting for a disk to appear", "reason", err)
			told = true
		}
		if err := clock.Wait(ctx, c.Clock, look); err != nil {
			return ingot.InventoryDisk{}, err
		}
	}
}

// Guess is the disk that would be installed on as things are, without waiting.
func (c *Chooser) Guess() (ingot.InventoryDisk, error) {
	disks, err := c.allowed()
	if err != nil {
		return ingot.InventoryDisk{}, err
	}
	return hints.Pick(disks, c.rootHints())
}

// Erasable are the disks that a clean may erase. Disks that are read-only are in it: the caller says what becomes of them.
func (c *Chooser) Erasable() ([]ingot.InventoryDisk, error) { return c.allowed() }

// allowed are the disks without those in skip_block_devices.
func (c *Chooser) allowed() ([]ingot.InventoryDisk, error) {
	disks, err := hints.Skip(c.Disks.Disks(), c.skip())
	if err != nil {
		return nil, command.DeviceNotFound("%s", err)
	}
	return disks, nil
}

// rootHints are instance_info's, else the properties', else the command line's.
func (c *Chooser) rootHints() map[string]any {
	for _, field := range [...]string{"instance_info", "properties"} {
		info, _ := c.Node()[field].(map[string]any)
		if found, _ := info["root_device"].(map[string]any); len(found) > 0 {
			return found
		}
	}
	return c.Hints
}

func (c *Chooser) skip() []map[string]any {
	properties, _ := c.Node()["properties"].(map[string]any)
	list, _ := properties["skip_block_devices"].([]any)
	var out []map[string]any
	for _, item := range list {
		if set, ok := item.(map[string]any); ok {
			out = append(out, set)
		}
	}
	return out
}
