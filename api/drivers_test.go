package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestDriverInterfacesBelongToVersions: each kind's default and enabled ones are shown from its version on, and nothing of
// it before 1.30.
func TestDriverInterfacesBelongToVersions(t *testing.T) {
	t.Parallel()
	s := start(t)
	first := map[string]int{"storage": 33, "rescue": 38, "bios": 40, "firmware": 86}
	for _, minor := range []string{"1.29", "1.30", "1.32", "1.33", "1.37", "1.38", "1.39", "1.40", "1.85", "1.86", "1.115"} {
		shown := s.must(t, 200, "GET", "/v1/drivers/ipmi", nil, version(minor)).body
		listed := s.must(t, 200, "GET", "/v1/drivers", nil, version(minor)).body["drivers"].([]any)[1].(map[string]any)
		require.NotContains(t, listed, "default_power_interface", "not without detail")
		for _, kind := range ingot.InterfaceKinds() {
			if minorOf(t, minor) >= max(30, first[kind]) {
				require.Equal(t, []any{shown["default_"+kind+"_interface"]}, shown["enabled_"+kind+"_interfaces"], "%s at %s", kind, minor)
				continue
			}
			require.NotContains(t, shown, "default_"+kind+"_interface", minor)
			require.NotContains(t, shown, "enabled_"+kind+"_interfaces", minor)
		}
	}
	all := s.must(t, 200, "GET", "/v1/drivers?detail=true", nil, version("1.30")).body["drivers"].([]any)
	require.Contains(t, all[0], "default_power_interface")
	require.Empty(t, s.must(t, 200, "GET", "/v1/drivers?type=classic", nil).body["drivers"])
}

func minorOf(t *testing.T, text string) int {
	t.Helper()
	n := 0
	for _, c := range text[len("1."):] {
		n = n*10 + int(c-'0')
	}
	return n
}

// TestDriverFields: the fields that were asked for, since 1.77; those that a form does not have are refused.
func TestDriverFields(t *testing.T) {
	t.Parallel()
	s := start(t)
	one := s.must(t, 200, "GET", "/v1/drivers/ipmi?fields=name,default_bios_interface", nil, version("1.77")).body
	delete(one, "links")
	require.Equal(t, map[string]any{"name": "ipmi", "default_bios_interface": "no-bios"}, one)
	s.must(t, 406, "GET", "/v1/drivers/ipmi?fields=name", nil, version("1.76"))
	require.Contains(t, s.must(t, 400, "GET", "/v1/drivers?fields=name,default_bios_interface", nil).fault(), `Field(s) "default_bios_interface" are not valid`)
	require.Contains(t, s.must(t, 400, "GET", "/v1/drivers/ipmi?fields=colour", nil).fault(), `Field(s) "colour" are not valid`)
}
