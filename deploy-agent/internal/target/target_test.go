package target_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
)

// machine has its disks appear one after the other, each time it is looked at.
type machine struct {
	mu    sync.Mutex
	looks int
	late  int // looks before the second disk is there
}

func (m *machine) Disks() []ingot.InventoryDisk {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	disks := []ingot.InventoryDisk{{Name: "/dev/sda", Size: 10 << 30, Serial: "A"}}
	if m.looks > m.late {
		disks = append(disks, ingot.InventoryDisk{Name: "/dev/sdb", Size: 20 << 30, Serial: "B"})
	}
	return disks
}

// clock counts: every wait moves it.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.now = c.now.Add(d)
	ch := make(chan time.Time, 1)
	ch <- c.now
	return ch
}

func chooser(late int) (*target.Chooser, *clock) {
	c := &clock{now: time.Unix(1000, 0)}
	return &target.Chooser{Disks: &machine{late: late}, Clock: c, Log: slog.New(slog.DiscardHandler), Until: c.now.Add(30 * time.Second)}, c
}

func hint(serial string) map[string]any { return map[string]any{"serial": serial} }

func TestWhoseHintsCount(t *testing.T) {
	c, _ := chooser(0)
	root := func() string {
		d, err := c.Root(context.Background())
		require.NoError(t, err)
		return d.Name
	}
	require.Equal(t, "/dev/sda", root(), "the smallest")
	c.Hints = hint("B")
	require.Equal(t, "/dev/sdb", root(), "the command line's")
	c.SetNode(map[string]any{"properties": map[string]any{"root_device": hint("A")}})
	require.Equal(t, "/dev/sda", root(), "the node's own")
	c.SetNode(map[string]any{"properties": map[string]any{"root_device": hint("A")}, "instance_info": map[string]any{"root_device": hint("B")}})
	require.Equal(t, "/dev/sdb", root(), "the instance's")
	c.SetNode(nil)
	require.Equal(t, "/dev/sdb", root(), "a command without a node changes nothing")
}

func TestWaitsForALateDisk(t *testing.T) {
	c, at := chooser(7)
	c.Hints = hint("B")
	d, err := c.Root(context.Background())
	require.NoError(t, err)
	require.Equal(t, "/dev/sdb", d.Name)
	require.Equal(t, 7*time.Second, at.now.Sub(time.Unix(1000, 0)))
}

func TestGivesUpNamingTheDisks(t *testing.T) {
	c, at := chooser(0)
	c.Hints = hint("C")
	_, err := c.Root(context.Background())
	require.ErrorContains(t, err, "no disk fits the root device hints serial=C; disks seen: /dev/sda (10.0 GiB, serial A); /dev/sdb (20.0 GiB, serial B)")
	require.Equal(t, 30*time.Second, at.now.Sub(time.Unix(1000, 0)))
	c.Hints = map[string]any{"colour": "red"}
	began := at.now
	_, err = c.Root(context.Background())
	require.ErrorContains(t, err, "there is no such hint")
	require.Equal(t, began, at.now, "a hint that is wrong is not waited for")
}

func TestSkippedDisksAreOutOfReach(t *testing.T) {
	c, _ := chooser(0)
	c.SetNode(map[string]any{"properties": map[string]any{"skip_block_devices": []any{hint("A")}}})
	disks, err := c.Erasable()
	require.NoError(t, err)
	require.Len(t, disks, 1)
	d, err := c.Guess()
	require.NoError(t, err)
	require.Equal(t, "/dev/sdb", d.Name)
}
