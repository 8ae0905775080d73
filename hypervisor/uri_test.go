package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
)

func TestURI(t *testing.T) {
	for given, used := range map[string]string{
		"qemu:///system":                                "qemu:///system",
		"qemu+unix:///system?socket=/run/x":             "qemu+unix:///system?socket=/run/x",
		"qemu+tls://host-a/system":                      "qemu+tls://host-a/system",
		"test:///default":                               "test:///default",
		"qemu+ssh://virt@10.0.0.11/system?keyfile=/k/a": "qemu+ssh://virt@10.0.0.11/system?keyfile=/k/a",
	} {
		got, err := hypervisor.ParseURI(given)
		require.NoError(t, err)
		require.Equal(t, used, got)
	}
	for given, says := range map[string]string{
		"":                                   "scheme",
		"xen:///system":                      "scheme",
		"qemu+ext:///system?command=/x":      "scheme",
		"qemu+ssh://h/system?command=/x":     `parameter "command"`,
		"qemu+ssh://h/system?netcat=/x":      `parameter "netcat"`,
		"qemu+tls://h/system?no_verify=1":    `parameter "no_verify"`,
		"qemu+ssh:///system":                 "names no host",
		"qemu+ssh://-oProxyCommand=x/system": "take for an option",
		"qemu+ssh://-x@h/system":             "take for an option",
		"qemu+ssh://u:secret@h/system":       "password",
		"qemu://h/system":                    "names a host",
		"qemu:///session":                    "/session",
		"test:///etc/passwd":                 "only test:///default",
		"qemu:///system?%zz":                 "cannot read",
		"://":                                "cannot read",
	} {
		_, err := hypervisor.ParseURI(given)
		require.ErrorContains(t, err, says, given)
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	}
}

func TestCheckHost(t *testing.T) {
	require.NoError(t, hypervisor.CheckHost(host()))
	for says, change := range map[string]func(*ingot.Hypervisor){
		"type":           func(h *ingot.Hypervisor) { h.Type = "xen" },
		"scheme":         func(h *ingot.Hypervisor) { h.URI = "lxc:///" },
		"either":         func(h *ingot.Hypervisor) { h.Networks[0].LibvirtNetwork = "x" },
		"there twice":    func(h *ingot.Hypervisor) { h.Networks[1].PhysicalNetwork = "physnet1" },
		"qcow2 or raw":   func(h *ingot.Hypervisor) { h.Pools[0].Formats = []string{"qed"} },
		"needs a cpu":    func(h *ingot.Hypervisor) { h.CPU.Mode = "custom" },
		`cpu mode "big"`: func(h *ingot.Hypervisor) { h.CPU.Mode = "big" },
		"for cpu mode":   func(h *ingot.Hypervisor) { h.CPU.Model = "EPYC" },
	} {
		require.ErrorContains(t, hypervisor.CheckHost(host(change)), says)
	}
}
