//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// An image stays while a disk is over it and goes when none is, also while others of the same process and of another one
// make guests from it: each of these runs from a whole one.
func TestUnusedImagesGo(t *testing.T) {
	d := libvirttest.Start(t)
	host, ctx := on(d), t.Context()
	one, other := &hypervisor.Hosts{KeepBases: time.Millisecond}, &hypervisor.Hosts{KeepBases: time.Millisecond}
	for _, hosts := range []*hypervisor.Hosts{one, other} {
		hosts.SetAside(2 * time.Second)
		t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	}
	probe := func(hosts *hypervisor.Hosts) {
		_, err := hosts.Probe(ctx, host, nil)
		require.NoError(t, err)
	}
	images := func() []string {
		found, err := filepath.Glob(filepath.Join(d.Dir, "pool", "base-*"))
		require.NoError(t, err)
		return found
	}
	opened := 0
	image := imageOf(libvirttest.Hello(), &opened)
	launch := func(hosts *hypervisor.Hosts) ingot.GuestMaker {
		_, m, maker := machineOn(t, hosts, host)
		require.NoError(t, maker.DefineGuest(ctx, nil))
		eventually(t, "the image is there", func(ctx context.Context) error { return maker.ImageDisk(ctx, "key", image) })
		require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
		console, _ := ingot.As[ingot.ConsoleLog](m)
		soon(t, "the image boots", func() bool {
			said, err := console.ConsoleLog(ctx, 1<<16)
			return err == nil && bytes.Contains(said, []byte("hello from the image"))
		})
		return maker
	}
	guest := launch(one)
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
		probe(one)
	}
	require.Len(t, images(), 2, "it is needed")
	require.NoError(t, guest.RemoveGuest(ctx))
	soon(t, "it is gone", func() bool { probe(one); return len(images()) == 0 })

	stop, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for stop.Err() == nil {
			_, _ = other.Probe(ctx, host, nil) // refused where something is being made
			_, _ = one.Probe(ctx, host, nil)
		}
	}()
	for i := range 4 {
		a, b := launch(one), launch(other)
		require.NoError(t, a.RemoveGuest(ctx))
		require.NoError(t, b.RemoveGuest(ctx))
		if i%2 == 0 {
			soon(t, "it goes again", func() bool { return len(images()) == 0 })
		}
	}
	cancel()
	<-stopped
	require.Greater(t, opened, 2, "it went and was brought again")
	soon(t, "all is gone", func() bool { probe(one); return len(images()) == 0 })
}
