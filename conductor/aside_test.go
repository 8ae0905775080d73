package conductor_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// able is a manageable fake node with all that fake hardware has.
func (w *world) able(change func(*ingot.Node)) ingot.Node {
	w.t.Helper()
	n := w.node(ingot.Manageable)
	n, err := w.store.ChangeNode(w.t.Context(), ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error {
		for _, kind := range []string{"bios", "console", "firmware", "raid", "vendor"} {
			*n.Interfaces.Field(kind) = "fake"
		}
		if change != nil {
			change(n)
		}
		return nil
	}})
	require.NoError(w.t, err)
	return n
}

// TestAside has each thing done to a fake machine beside its life, and looks at the node and at the machine.
func TestAside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rack.Delays.Management.Earliest = 5 * time.Millisecond
	w.start(nil)
	c, ctx := w.conductor(), t.Context()
	n := w.able(nil)
	does := func(err error) ingot.Node {
		t.Helper()
		require.NoError(t, err)
		n := w.ended(n.UUID)
		require.Empty(t, n.LastError)
		require.Equal(t, ingot.Manageable, n.ProvisionState)
		return n
	}
	n = does(c.SetBootMode(ctx, n, ingot.ModeBIOS))
	require.Equal(t, ingot.ModeBIOS, n.BootMode)
	n = does(c.SetSecureBoot(ctx, n, true))
	require.True(t, *n.SecureBoot)
	n = does(c.SetConsole(ctx, n, true))
	require.True(t, n.ConsoleEnabled)
	info, err := c.ConsoleInfo(ctx, n)
	require.NoError(t, err)
	require.Equal(t, map[string]any{}, info)
	n = does(c.SetConsole(ctx, n, false))
	info, err = c.ConsoleInfo(ctx, n)
	require.NoError(t, err)
	require.Nil(t, info)

	n = does(c.AttachMedia(ctx, n, ingot.MediaCDROM, "http://x/a.iso"))
	require.Equal(t, "http://x/a.iso", w.inserted(n, ingot.MediaCDROM))
	n = does(c.DetachMedia(ctx, n, []ingot.MediaDevice{ingot.MediaDisk}))
	require.Equal(t, "http://x/a.iso", w.inserted(n, ingot.MediaCDROM))
	n = does(c.DetachMedia(ctx, n, nil))
	require.Empty(t, w.inserted(n, ingot.MediaCDROM))

	require.NoError(t, c.SetIndicator(ctx, n, "system", "led", ingot.IndicatorBlinking))
	state, err := c.Indicator(ctx, n, "system", "led")
	require.NoError(t, err)
	require.Equal(t, ingot.IndicatorBlinking, state)

	method, answer, err := c.CallVendor(ctx, n, "third_method_sync", "POST", map[string]any{"bar": "meow"})
	require.NoError(t, err)
	require.False(t, method.Async)
	require.Equal(t, true, answer)
	_, _, err = c.CallVendor(ctx, n, "first_method", "POST", map[string]any{"bar": "baz"})
	does(err)
}

func (w *world) inserted(n ingot.Node, device ingot.MediaDevice) string {
	w.t.Helper()
	drives, err := w.conductor().Media(w.t.Context(), n)
	require.NoError(w.t, err)
	for _, d := range drives {
		if d.Devices[0] == device {
			return d.Image
		}
	}
	require.FailNow(w.t, "no such drive")
	return ""
}

// TestAsideRefusals: what an interface that does nothing cannot do, what the machine has not, and what the node's state
// forbids.
func TestAsideRefusals(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	c, ctx := w.conductor(), t.Context()
	bare := w.able(func(n *ingot.Node) {
		n.Interfaces.Console, n.Interfaces.Vendor, n.Interfaces.Management, n.Interfaces.RAID = "no-console", "no-vendor", "noop", "no-raid"
	})
	disk := map[string]any{"logical_disks": []any{map[string]any{"raid_level": "1", "size_gb": 100.0}}}
	for what, err := range map[string]error{
		"set_boot_mode": c.SetBootMode(ctx, bare, ingot.ModeBIOS), "set_secure_boot_state": c.SetSecureBoot(ctx, bare, true), "console": c.SetConsole(ctx, bare, true),
		"attach_virtual_media": c.AttachMedia(ctx, bare, ingot.MediaCDROM, "http://x"), "inject_nmi": c.InjectNMI(ctx, bare), "raid": c.SetRAID(ctx, bare, disk),
	} {
		require.EqualError(t, err, "Driver fake-hardware does not support "+what+" (disabled or not implemented).")
		require.Equal(t, ingot.Unsupported, ingot.CodeOf(err))
	}
	require.NoError(t, c.SetRAID(ctx, bare, map[string]any{}), "to unset is always allowed")
	methods, err := c.VendorMethods(ctx, bare)
	require.NoError(t, err)
	require.Empty(t, methods)

	n := w.able(nil)
	for says, err := range map[string]error{
		"Unknown indicator nope for component system of node " + n.UUID:                c.SetIndicator(ctx, n, "system", "nope", ingot.IndicatorOn),
		"Indicator led-0 of component chassis of node " + n.UUID + " can only be read": c.SetIndicator(ctx, n, "chassis", "led-0", ingot.IndicatorOn),
		"No handler for method nope":                                                                             vendorError(c, n, "nope", "POST", nil),
		"The method first_method does not support HTTP GET":                                                      vendorError(c, n, "first_method", "GET", nil),
		"Parameter 'bar' not passed to method 'first_method'.":                                                   vendorError(c, n, "first_method", "POST", nil),
		"RAID config validation error: 'logical_disks' is a required property":                                   c.SetRAID(ctx, n, map[string]any{"a": 1.0}),
		"RAID config validation error: 'raid_level' is a required property":                                      c.SetRAID(ctx, n, raid(map[string]any{"size_gb": 1.0})),
		"RAID config validation error: '9' is not one of ['JBOD', '0', '1', '2', '5', '6', '1+0', '5+0', '6+0']": c.SetRAID(ctx, n, raid(map[string]any{"size_gb": 1.0, "raid_level": "9"})),
		"RAID config validation error: 1.5 is not valid under any of the given schemas":                          c.SetRAID(ctx, n, raid(map[string]any{"size_gb": 1.5, "raid_level": "1"})),
		"RAID config validation error: 'controller' is a dependency of 'physical_disks'":                         c.SetRAID(ctx, n, raid(map[string]any{"size_gb": "MAX", "raid_level": "1", "physical_disks": []any{"a"}})),
		"RAID config validation error: Additional properties are not allowed ('x' was unexpected)":               c.SetRAID(ctx, n, raid(map[string]any{"size_gb": "MAX", "raid_level": "1", "x": true})),
		"RAID config validation error: [] is too short":                                                          c.SetRAID(ctx, n, map[string]any{"logical_disks": []any{}}),
		"Raid config cannot have more than one root volume. 2 root volumes were specified":                       c.SetRAID(ctx, n, raid(root(), root())),
	} {
		require.EqualError(t, err, says)
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	}
	require.NoError(t, c.SetRAID(ctx, n, disk))
	require.Equal(t, disk, w.get(n.UUID).TargetRAIDConfig)

	busy := w.able(func(n *ingot.Node) { n.ProvisionState = ingot.Cleaning })
	for _, err := range []error{
		c.SetConsole(ctx, busy, true), c.InjectNMI(ctx, busy), c.SetRAID(ctx, busy, disk), c.SetIndicator(ctx, busy, "system", "led", ingot.IndicatorOn),
		vendorError(c, busy, "first_method", "POST", map[string]any{"bar": "baz"}), c.DetachMedia(ctx, busy, nil),
	} {
		require.Equal(t, ingot.Locked, ingot.CodeOf(err), "%v", err)
	}
	require.NoError(t, vendorError(c, w.get(n.UUID), "fourth_method_shared_lock", "POST", map[string]any{"bar": "woof"}))
}

func raid(disks ...any) map[string]any { return map[string]any{"logical_disks": disks} }

func root() map[string]any {
	return map[string]any{"raid_level": "1", "size_gb": 1.0, "is_root_volume": true}
}

func vendorError(c *conductor.Conductor, n ingot.Node, name, method string, args map[string]any) error {
	_, _, err := c.CallVendor(context.Background(), n, name, method, args)
	return err
}

// TestAsideKilled kills the conductor inside each thing, its effect done and its answer lost: what can be asked again is,
// and a vendor method is not.
func TestAsideKilled(t *testing.T) {
	for name, do := range map[string]func(*conductor.Conductor, ingot.Node) error{
		"boot mode":   func(c *conductor.Conductor, n ingot.Node) error { return c.SetBootMode(t.Context(), n, ingot.ModeBIOS) },
		"secure boot": func(c *conductor.Conductor, n ingot.Node) error { return c.SetSecureBoot(t.Context(), n, true) },
		"console":     func(c *conductor.Conductor, n ingot.Node) error { return c.SetConsole(t.Context(), n, true) },
		"vmedia": func(c *conductor.Conductor, n ingot.Node) error {
			return c.AttachMedia(t.Context(), n, ingot.MediaDisk, "http://x")
		},
		"vendor": func(c *conductor.Conductor, n ingot.Node) error {
			return vendorError(c, n, "first_method", "POST", map[string]any{"bar": "baz"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := &mortal{Store: w.store}
			killed := make(chan struct{})
			kill := &asked{at: 1, here: func(do func() (conductor.Progress, error)) (conductor.Progress, error) {
				_, _ = do()
				m.die()
				close(killed)
				return conductor.Progress{}, errDead
			}}
			w.start(func(c *conductor.Conductor) { c.Operations, c.Intercept = m, kill.intercept })
			n := w.able(nil)
			require.NoError(t, do(w.conductor(), n))
			receive(t, killed)
			w.kill()
			w.start(nil)
			end := w.ended(n.UUID)
			if name == "vendor" {
				require.Contains(t, end.LastError, "cannot say whether vendor method first_method was carried out")
				return
			}
			require.Empty(t, end.LastError)
		})
	}
}
