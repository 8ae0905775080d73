package hypervisor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
)

// twoCards is a domain as libvirt stores it: each card has its place on the bus.
const twoCards = `<domain type='kvm'><name>a</name><metadata><ingot:guest xmlns:ingot='https://ingot-metal.github.io/guest/1'/></metadata>
  <devices><disk type='volume' device='disk'><source pool='default' volume='a'/><target dev='vda'/><boot order='1'/></disk>
    <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/><filterref filter='no-mac-spoofing'/><boot order='2'/><address type='pci' bus='0x01'/></interface>
    <interface type='network'><mac address='52:54:00:00:00:02'/><source network='default'/><model type='virtio'/><filterref filter='no-mac-spoofing'/><boot order='3'/><address type='pci' bus='0x02'/></interface>
    <memballoon model='virtio'/></devices></domain>`

func TestCardsOfPorts(t *testing.T) {
	card := func(mac, network string, extra map[string]any) ingot.Port {
		return ingot.Port{Address: "52:54:00:00:00:" + mac, PhysicalNetwork: network, Extra: extra}
	}
	one, two := card("01", "physnet1", nil), card("02", "lab", nil)
	first, second := twoCards[strings.Index(twoCards, "<interface type='bridge'"):strings.Index(twoCards, "\n    <interface type='network'")], "<interface type='network'><mac address='52:54:00:00:00:02'/>"
	for name, row := range map[string]struct {
		ports []ingot.Port
		has   []string
		not   []string
	}{
		"one came": {[]ingot.Port{one, two, card("0A", "lab", nil)}, []string{first, second, `<mac address="52:54:00:00:00:0A"`, `<boot order="4"/>`}, nil},
		"one went": {[]ingot.Port{two}, []string{second, `<boot order="2"/><address type='pci' bus='0x02'/>`}, []string{"52:54:00:00:00:01", "br0"}},
		"all went": {nil, []string{"<memballoon model='virtio'/>", "<boot order='1'/>"}, []string{"<interface"}},
		"elsewhere": {
			[]ingot.Port{card("01", "lab", nil), two},
			[]string{`<interface type="network">`, `<mac address="52:54:00:00:00:01"`, `<source network="default"`, `<address type='pci' bus='0x01'/>`, second},
			[]string{"br0"},
		},
		"a tag":   {[]ingot.Port{card("01", "physnet1", map[string]any{"vlan": 110.0}), two}, []string{`<tag id="110"`, `<address type='pci' bus='0x01'/>`, second}, nil},
		"an IP":   {[]ingot.Port{card("01", "physnet1", map[string]any{"fixed_ips": []any{"10.1.0.7"}}), two}, []string{`"clean-traffic"`, `value="10.1.0.7"`, `bus='0x01'`, second}, nil},
		"through": {[]ingot.Port{card("01", "physnet1", map[string]any{"port_security": false}), two}, []string{`bus='0x01'`, second}, []string{"br0'/><model type='virtio'/><filterref"}},
	} {
		after, err := hypervisor.WithCards(twoCards, node(), row.ports, host())
		require.NoError(t, err, name)
		for _, text := range row.has {
			require.Contains(t, after, text, name)
		}
		for _, text := range row.not {
			require.NotContains(t, after, text, name)
		}
		again, err := hypervisor.WithCards(after, node(), row.ports, host())
		require.NoError(t, err, name)
		require.Equal(t, after, again, "%s: what is right changes nothing", name)
	}
	same, err := hypervisor.WithCards(twoCards, node(), []ingot.Port{two, one}, host())
	require.NoError(t, err)
	require.Equal(t, twoCards, same)
}
