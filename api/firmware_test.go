package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

func TestBIOS(t *testing.T) {
	t.Parallel()
	s, uuid := firmwareService(t)
	const at = "/v1/nodes/ex1/bios"
	links := func(node string) string {
		p := "/nodes/" + node + "/bios/Turbo"
		return `[{"href": "` + s.URL + "/v1" + p + `", "rel": "self"}, {"href": "` + s.URL + p + `", "rel": "bookmark"}]`
	}
	setting := s.must(t, 200, "GET", at, nil).body["bios"].([]any)[0].(map[string]any)
	created := setting["created_at"].(string)
	brief := `"name": "Turbo", "value": "on", "created_at": "` + created + `", "updated_at": null`
	registry := `"attribute_type": "Enumeration", "allowable_values": ["on", "off"], "lower_bound": null, "upper_bound": 5, "min_length": null, "max_length": null, "read_only": true, "reset_required": null, "unique": null`
	for _, tc := range []struct{ version, path, want string }{
		{"1.40", at, `{"bios": [{` + brief + `, "links": ` + links("ex1") + `}]}`},
		{"1.74", at, `{"bios": [{` + brief + `, "links": ` + links("ex1") + `}]}`},
		{"1.74", at + "?detail=true", `{"bios": [{` + brief + `, ` + registry + `, "links": ` + links("ex1") + `}]}`},
		{"1.74", at + "?fields=name,read_only", `{"bios": [{"name": "Turbo", "read_only": true, "created_at": "` + created + `", "updated_at": null, "links": ` + links("ex1") + `}]}`},
		{"1.73", at + "/Turbo", `{"Turbo": {` + brief + `, "links": ` + links(uuid) + `}}`},
		{"1.74", at + "/Turbo", `{"Turbo": {` + brief + `, ` + registry + `, "links": ` + links(uuid) + `}}`},
	} {
		require.JSONEq(t, tc.want, s.must(t, 200, "GET", tc.path, nil, version(tc.version)).text, "%s at %s", tc.path, tc.version)
	}
	for _, tc := range []struct {
		version, path string
		status        int
		says          string
	}{
		{"1.39", at, 404, ""},
		{"1.39", at + "/Turbo", 404, ""},
		{"1.73", at + "?detail=true", 400, "Invalid query parameter ?detail=true received."},
		{"1.73", at + "?fields=name", 400, "Invalid query parameter ?fields=['name'] received."},
		{"1.74", at + "?fields=name&detail=true", 400, "Can not specify ?detail=True and fields"},
		{"1.74", at + "?fields=colour", 400, "Field colour is not a valid field."},
		{"1.74", at + "/Colour", 404, "Node " + uuid + " doesn't have a BIOS setting 'Colour'"},
	} {
		require.Contains(t, s.must(t, tc.status, "GET", tc.path, nil, version(tc.version)).fault(), tc.says, "%s at %s", tc.path, tc.version)
	}
}

func TestFirmware(t *testing.T) {
	t.Parallel()
	s, _ := firmwareService(t)
	const at = "/v1/nodes/ex1/firmware"
	part := s.must(t, 200, "GET", at, nil).body["firmware"].([]any)[0].(map[string]any)
	times := `"created_at": "` + part["created_at"].(string) + `", "updated_at": null`
	versions := `"component": "bmc", "initial_version": "1", "current_version": "1", "last_version_flashed": null`
	for _, tc := range []struct{ version, path, want string }{
		{"1.86", at, `{"firmware": [{` + versions + `, ` + times + `}]}`},
		{"1.114", at, `{"firmware": [{` + versions + `, ` + times + `, "vendor": "v", "model": "m", "serial_number": "s"}]}`},
		{"1.114", at + "?fields=component", `{"firmware": [{"component": "bmc", ` + times + `}]}`},
	} {
		require.JSONEq(t, tc.want, s.must(t, 200, "GET", tc.path, nil, version(tc.version)).text, "%s at %s", tc.path, tc.version)
	}
	s.must(t, 404, "GET", at, nil, version("1.85"))
	require.Contains(t, s.must(t, 400, "GET", at+"?fields=vendor,model", nil, version("1.113")).fault(), "Fields model, vendor are not allowed in this API version.")
}

func firmwareService(t *testing.T) (*service, string) {
	t.Helper()
	s := start(t, func(a *api.API) { a.FirmwareStore = a.History.(api.FirmwareStore) })
	uuid := s.enrol(t, "ex1")
	five, yes := 5, true
	require.NoError(t, s.Store.PutBIOSSettings(t.Context(), uuid, []ingot.BIOSSetting{{
		Name: "Turbo", Value: "on", BIOSRegistry: ingot.BIOSRegistry{Type: "Enumeration", Allowed: []string{"on", "off"}, UpperBound: &five, ReadOnly: &yes},
	}}))
	require.NoError(t, s.Store.PutFirmwareComponents(t.Context(), uuid, []ingot.FirmwareComponent{{Component: "bmc", CurrentVersion: "1", Vendor: "v", Model: "m", SerialNumber: "s"}}))
	return s, uuid
}
