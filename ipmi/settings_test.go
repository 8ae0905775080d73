package ipmi_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/ipmi"
)

func TestDriverInfo(t *testing.T) {
	good := map[string]any{"ipmi_address": "10.0.0.5", "ipmi_username": "admin", "ipmi_password": ingot.Secret("secret"), "deploy_kernel": "file:///k"}
	for _, row := range []struct {
		name string
		with map[string]any
		says string // "" when it is good
	}{
		{"as it stands", nil, ""},
		{"every key", map[string]any{
			"ipmi_port": "6230", "ipmi_priv_level": "OPERATOR", "ipmi_cipher_suite": "17", "ipmi_protocol_version": "2.0",
			"ipmi_force_boot_device": "no", "ipmi_disable_boot_timeout": false, "ipmi_bridging": "no", "ipmi_backend": "native",
		}, ""},
		{"numbers of JSON", map[string]any{"ipmi_port": float64(6230), "ipmi_cipher_suite": float64(3), "ipmi_protocol_version": float64(2)}, ""},
		{"nobody", map[string]any{"ipmi_username": nil, "ipmi_password": nil}, ""},
		{"IPv6", map[string]any{"ipmi_address": "fe80::1%eth0"}, ""},
		{"IPv6 in brackets", map[string]any{"ipmi_address": "[2001:db8::1]"}, ""},
		{"a name", map[string]any{"ipmi_address": "node1-bmc.example.org"}, ""},
		{"no address", map[string]any{"ipmi_address": ""}, "Missing the following IPMI credentials in node's driver_info: ['ipmi_address']."},
		{"no address at all", map[string]any{"ipmi_address": "a b"}, "ipmi_address"},
		{"an address as an option", map[string]any{"ipmi_address": "-H"}, "ipmi_address"},
		{"a port too high", map[string]any{"ipmi_port": 65536}, "ipmi_port"},
		{"a port in words", map[string]any{"ipmi_port": "rmcp"}, "ipmi_port"},
		{"a long user", map[string]any{"ipmi_username": "seventeen letters"}, "ipmi_username"},
		{"a long password", map[string]any{"ipmi_password": "one-and-twenty letters"}, "ipmi_password"},
		{"a strange level", map[string]any{"ipmi_priv_level": "ROOT"}, "Invalid privilege level value:ROOT"},
		{"suite in words", map[string]any{"ipmi_cipher_suite": "best"}, "Invalid cipher suite best"},
		{"suite without encryption", map[string]any{"ipmi_cipher_suite": 2}, "ipmi_cipher_suite 2"},
		{"suite beyond a byte", map[string]any{"ipmi_cipher_suite": 256 + 17}, "ipmi_cipher_suite 273"},
		{"IPMI 1.5", map[string]any{"ipmi_protocol_version": "1.5"}, "Invalid IPMI protocol version value 1.5"},
		{"bridging", map[string]any{"ipmi_bridging": "dual"}, "Invalid value for ipmi_bridging: dual"},
		{"bridging's address", map[string]any{"ipmi_transit_address": "0x82"}, "ipmi_transit_address is not carried out"},
		{"Kg key", map[string]any{"ipmi_hex_kg_key": ingot.Secret("00ff")}, "ipmi_hex_kg_key is not carried out"},
		{"boot device each time", map[string]any{"ipmi_force_boot_device": "True"}, "ipmi_force_boot_device is not carried out"},
		{"neither true nor false", map[string]any{"ipmi_disable_boot_timeout": "perhaps"}, "ipmi_disable_boot_timeout must be true or false"},
		{"a slip", map[string]any{"ipmi_adress": "10.0.0.5"}, "ipmi_adress is no key"},
		{"an unknown backend", map[string]any{"ipmi_backend": "pyghmi"}, "ipmi_backend \"pyghmi\" does not exist"},
		{"level with ipmitool", map[string]any{"ipmi_backend": "ipmitool", "ipmi_priv_level": "USER"}, "ipmi_priv_level is not carried out"},
	} {
		t.Run(row.name, func(t *testing.T) {
			info := maps.Clone(good)
			maps.Copy(info, row.with)
			_, err := ipmi.New(info, ipmi.Options{})
			if row.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.says)
			require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
			require.NotContains(t, err.Error(), "letters", "a password must not be told")
		})
	}
}

func TestToolMissing(t *testing.T) {
	_, err := ipmi.New(map[string]any{"ipmi_address": "10.0.0.5", "ipmi_backend": "ipmitool"}, ipmi.Options{Tool: "/nonexistent/ipmitool"})
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err))
	require.ErrorContains(t, err, "ipmitool")
}
