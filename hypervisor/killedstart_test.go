//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// TestKilledAtStart kills libvirtd at ever other moments of a guest's start until the next one does not recover, which those
// of version 9.0 do not when the process was about to be there. What a user is told then helps.
func TestKilledAtStart(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, m, maker := machineOn(t, hosts, host)
	require.NoError(t, maker.DefineGuest(ctx, nil))
	opened := 0
	image := imageOf(libvirttest.Hello(), &opened)
	soon(t, "the image is there", func() bool { return maker.ImageDisk(ctx, "first", image) == nil })

	if !staysAtStart(t, d, n.UUID) {
		t.Skip("this libvirtd recovered each time")
	}
	for _, action := range []ingot.PowerAction{ingot.ActionOn, ingot.ActionOff} {
		err := m.SetPower(ctx, action)
		require.Equal(t, ingot.Unavailable, ingot.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, "remove /run/libvirt/qemu/ingot-"+n.UUID+".xml")
	}
	d.Remove(t, "/run/libvirt/qemu/ingot-"+n.UUID+".xml")
	d.Crasher(t)()
	soon(t, "it starts", func() bool { return m.SetPower(ctx, ingot.ActionOn) == nil })
	soon(t, "it runs", func() bool {
		power, err := m.PowerState(ctx)
		return err == nil && power == ingot.PowerOn
	})
}

// staysAtStart has a domain started and the daemon killed at that, until the next daemon goes on saying that it is being
// started.
func staysAtStart(t *testing.T, d *libvirttest.Daemon, id string) bool {
	t.Helper()
	for i := range 60 {
		domain := domainOf(t, d, id)
		crash := d.Crasher(t)
		timer := time.AfterFunc(time.Duration(1000+i*7919%40000)*time.Microsecond, crash)
		_ = domain.Create() // however it ends
		timer.Stop()
		crash()
		domain = domainOf(t, d, id)
		stays := func() bool {
			_, reason, err := domain.GetState()
			return err == nil && libvirt.DomainPausedReason(reason) == libvirt.DOMAIN_PAUSED_STARTING_UP
		}
		for range 50 {
			if !stays() {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if stays() {
			t.Logf("it does from try %d on", i)
			return true
		}
		_ = domain.Destroy() // it may be off
	}
	return false
}

// domainOf finds a domain by a connection of the test's own, as soon as the daemon answers.
func domainOf(t *testing.T, d *libvirttest.Daemon, id string) *libvirt.Domain {
	t.Helper()
	var domain *libvirt.Domain
	soon(t, "libvirtd is back", func() bool {
		conn, err := libvirt.NewConnect(d.URI())
		if err != nil {
			return false
		}
		t.Cleanup(func() { _, _ = conn.Close() }) // it may have lost its daemon
		domain, err = conn.LookupDomainByUUIDString(id)
		return err == nil
	})
	return domain
}
