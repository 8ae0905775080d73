package redfish_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/redfish"
)

func TestDriverInfo(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("no certificate"), 0o600))
	good := map[string]any{"redfish_address": "10.0.0.5", "redfish_username": "admin", "redfish_password": ingot.Secret("secret"), "deploy_kernel": "file:///k"}
	for _, row := range []struct {
		name string
		with map[string]any
		says string // "" when it is good
	}{
		{"as it stands", nil, ""},
		{"every key", map[string]any{
			"redfish_address": "https://bmc.example.org:8443/redfish/v1/", "redfish_system_id": "/redfish/v1/Systems/1", "redfish_verify_ca": "False",
			"redfish_auth_type": "session", "redfish_tls_minimum_version": "1.3",
		}, ""},
		{"IPv6", map[string]any{"redfish_address": "2001:db8::1"}, ""},
		{"IPv6 with port", map[string]any{"redfish_address": "[2001:db8::1]:8443"}, ""},
		{"plain HTTP", map[string]any{"redfish_address": "http://10.0.0.5:8000"}, ""},
		{"no address", map[string]any{"redfish_address": nil}, "Missing the following Redfish properties in node driver_info: ['redfish_address']"},
		{"another scheme", map[string]any{"redfish_address": "ftp://10.0.0.5"}, "Invalid Redfish address ftp://10.0.0.5"},
		{"a password in the address", map[string]any{"redfish_address": "https://admin:x@10.0.0.5"}, "Invalid Redfish address"},
		{"another root", map[string]any{"redfish_address": "https://10.0.0.5/bmc2"}, "a root other than /redfish/v1 is not carried out"},
		{"system by name", map[string]any{"redfish_system_id": "1"}, "driver_info/redfish_system_id"},
		{"system by number", map[string]any{"redfish_system_id": 1}, "driver_info/redfish_system_id"},
		{"an unknown way to log in", map[string]any{"redfish_auth_type": "digest"}, `"basic", "session" or "auto"`},
		{"an old TLS", map[string]any{"redfish_tls_minimum_version": "1.0"}, "driver_info/redfish_tls_minimum_version"},
		{"ciphers", map[string]any{"redfish_tls_ciphers": "HIGH"}, "redfish_tls_ciphers is not carried out"},
		{"a slip", map[string]any{"redfish_adress": "x"}, "redfish_adress is not carried out"},
		{"trust in a number", map[string]any{"redfish_verify_ca": 1.5}, "redfish_verify_ca"},
		{"trust in nothing", map[string]any{"redfish_verify_ca": "/nonexistent/ca.pem"}, "redfish_verify_ca"},
		{"trust without certificates", map[string]any{"redfish_verify_ca": empty}, "no certificate in PEM"},
	} {
		t.Run(row.name, func(t *testing.T) {
			info := maps.Clone(good)
			maps.Copy(info, row.with)
			_, err := redfish.New(info, redfish.Options{})
			if row.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.says)
			require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
		})
	}
}
