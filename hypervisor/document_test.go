package hypervisor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
)

// foreign is a domain that somebody else made: with things that no struct knows, and with the other sort of boot order.
const foreign = `<domain type="kvm" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0"><name>a &amp; b</name>
  <os><type arch="x86_64">hvm</type><boot dev="hd"/><smbios mode="host"/></os>
  <devices><!-- mine --><disk type="file"><source file="/a"/></disk>
    <interface type="bridge"><source bridge="br0"/></interface><hostdev/></devices>
  <qemu:commandline><qemu:arg value="-S"/></qemu:commandline></domain>`

func TestForeignDomainKeepsEverything(t *testing.T) {
	after, reads, err := hypervisor.Booting(foreign, ingot.BootSetting{Device: ingot.BootPXE, Mode: ingot.ModeUEFI})
	require.NoError(t, err)
	require.Equal(t, ingot.BootSetting{Device: ingot.BootPXE, Mode: ingot.ModeUEFI}, reads)
	require.Contains(t, after, `<interface type="bridge"><source bridge="br0"/><boot order="1"/></interface>`)
	require.Contains(t, after, `<disk type="file"><source file="/a"/><boot order="2"/></disk>`)
	require.Contains(t, after, `<os firmware="efi"><type arch="x86_64">hvm</type><smbios mode="host"/>`)
	require.NotContains(t, after, "<boot dev")

	again, reads, err := hypervisor.Booting(after, ingot.BootSetting{Device: ingot.BootDisk, Persistent: true, Mode: ingot.ModeBIOS})
	require.NoError(t, err)
	require.Equal(t, ingot.BootSetting{Device: ingot.BootDisk, Persistent: true, Mode: ingot.ModeBIOS}, reads)
	require.Contains(t, again, `<disk type="file"><source file="/a"/><boot order="1"/></disk>`)
	for _, kept := range []string{"<!-- mine -->", "<qemu:arg value=\"-S\"/>", "<hostdev/>", "a &amp; b"} {
		require.Contains(t, again, kept)
	}
	same, _, err := hypervisor.Booting(again, ingot.BootSetting{Device: ingot.BootDisk, Persistent: true})
	require.NoError(t, err)
	require.Equal(t, again, same, "what holds already changes nothing")
}

// FuzzDocument: whatever is read is either refused or can be edited and read again.
func FuzzDocument(f *testing.F) {
	f.Add(foreign)
	f.Add("<a/>")
	f.Add(`<a><devices><disk/></devices></a>`)
	f.Add(strings.Repeat("<a>", 50))
	f.Fuzz(func(t *testing.T, text string) {
		want := ingot.BootSetting{Device: ingot.BootPXE, Persistent: true}
		after, reads, err := hypervisor.Booting(text, want)
		if err != nil {
			return
		}
		require.Equal(t, want.Device, reads.Device)
		again, _, err := hypervisor.Booting(after, want)
		require.NoError(t, err)
		require.Equal(t, after, again)
	})
}
