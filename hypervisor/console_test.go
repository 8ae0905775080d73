//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// booted is a guest that has said hello, on a libvirtd of the test's own.
func booted(t *testing.T) (*hypervisor.Hosts, ingot.Hypervisor, *ingot.Node, ingot.Machine) {
	t.Helper()
	return bootedOn(t, libvirttest.Start(t), libvirttest.Hello())
}

func bootedOn(t *testing.T, d *libvirttest.Daemon, disk []byte) (*hypervisor.Hosts, ingot.Hypervisor, *ingot.Node, ingot.Machine) {
	t.Helper()
	host := on(d)
	hosts, n, m := bootedAs(t, host, disk)
	return hosts, host, n, m
}

func bootedAs(t *testing.T, host ingot.Hypervisor, disk []byte) (*hypervisor.Hosts, *ingot.Node, ingot.Machine) {
	t.Helper()
	hosts, ctx := &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, m, maker := machineOn(t, hosts, host)
	require.NoError(t, maker.DefineGuest(ctx, nil))
	opened := 0
	image := imageOf(disk, &opened)
	soon(t, "the image is there", func() bool { return maker.ImageDisk(ctx, "first", image) == nil })
	require.NoError(t, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootDisk, Persistent: true}))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	logged(t, m, "hello from the image")
	return hosts, n, m
}

// logged waits until a guest has said something.
func logged(t *testing.T, m ingot.Machine, text string) {
	t.Helper()
	console, _ := ingot.As[ingot.ConsoleLog](m)
	soon(t, "it says "+text, func() bool {
		said, err := console.ConsoleLog(t.Context(), 1<<16)
		return err == nil && bytes.Contains(said, []byte(text))
	})
}

// hears reads until the text came, or the console ends.
func hears(t *testing.T, from io.Reader, text string) {
	t.Helper()
	heard := make(chan error, 1)
	go func() {
		var all []byte
		buffer := make([]byte, 64)
		for !bytes.Contains(all, []byte(text)) {
			n, err := from.Read(buffer)
			all = append(all, buffer[:n]...)
			if err != nil {
				heard <- err
				return
			}
		}
		heard <- nil
	}()
	select {
	case err := <-heard:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		require.FailNow(t, "the guest never said "+text)
	}
}

// One has the console, until another takes it over or the guest goes off.
func TestSerialConsole(t *testing.T) {
	_, _, _, m := booted(t)
	ctx := t.Context()
	serial, ok := ingot.As[ingot.SerialConsole](m)
	require.True(t, ok)
	first, err := serial.OpenConsole(ctx, false)
	require.NoError(t, err)
	_, err = first.Write([]byte("marco"))
	require.NoError(t, err)
	hears(t, first, "marco")

	_, err = serial.OpenConsole(ctx, false)
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "already")
	second, err := serial.OpenConsole(ctx, true)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, first)
	t.Logf("the first one's end: %v", err)
	require.NoError(t, first.Close())
	_, err = second.Write([]byte("polo"))
	require.NoError(t, err)
	hears(t, second, "polo")

	waits := make(chan struct{})
	go func() {
		defer close(waits)
		_, _ = io.Copy(io.Discard, second) // however it ends
	}()
	require.NoError(t, second.Close())
	<-waits
	third, err := serial.OpenConsole(ctx, false)
	require.NoError(t, err, "it is free again")
	joined, _ := ingot.As[ingot.Console](m)
	info, err := joined.ConsoleInfo(ctx)
	require.NoError(t, err)
	require.Regexp(t, `^127\.0\.0\.1:59\d\d$`, info["vnc"])
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	_, _ = io.Copy(io.Discard, third) // ends with the machine
	require.NoError(t, third.Close())
	_, err = serial.OpenConsole(ctx, false)
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "is off")
}

// All that a guest says comes at once, also when it is the last for long: each answer is waited for before the next key.
// When the host is gone, who reads is told.
func TestSerialConsoleKeepsNothingBack(t *testing.T) {
	d := libvirttest.Start(t)
	_, _, _, m := bootedOn(t, d, libvirttest.Chatty())
	serial, _ := ingot.As[ingot.SerialConsole](m)
	console, err := serial.OpenConsole(t.Context(), false)
	require.NoError(t, err)
	for range 500 {
		_, err := console.Write([]byte("?"))
		require.NoError(t, err)
		hears(t, console, "hello from the image\r\n")
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = io.Copy(io.Discard, console) // however it ends
	}()
	d.Kill()
	select {
	case <-over:
	case <-time.After(time.Minute):
		require.FailNow(t, "the console of a lost host is waited for")
	}
	require.NoError(t, console.Close())
}
