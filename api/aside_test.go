package api_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// aside answers what the API asks of machines beside their life, and keeps what it was asked.
type aside struct {
	asked   []any
	console map[string]any
	serial  io.ReadWriteCloser // what is behind OpenConsole
	said    string             // the console's log
	fail    error
}

func (a *aside) note(what ...any) error {
	a.asked = append(a.asked, what...)
	return a.fail
}

func (a *aside) SetBootMode(_ context.Context, _ ingot.Node, mode ingot.BootMode) error {
	return a.note(mode)
}
func (a *aside) SetSecureBoot(_ context.Context, _ ingot.Node, on bool) error { return a.note(on) }
func (a *aside) SetRAID(_ context.Context, _ ingot.Node, target map[string]any) error {
	return a.note(target)
}

func (a *aside) RAIDProperties() (map[string]string, error) {
	return map[string]string{"size_gb": "Size."}, nil
}

func (a *aside) Indicators(context.Context, ingot.Node) ([]ingot.Indicator, error) {
	return []ingot.Indicator{{Component: "system", Name: "led", States: []ingot.IndicatorState{"off", "on"}}}, a.fail
}

func (a *aside) Indicator(_ context.Context, _ ingot.Node, component, name string) (ingot.IndicatorState, error) {
	return ingot.IndicatorBlinking, a.note(component, name)
}

func (a *aside) SetIndicator(_ context.Context, _ ingot.Node, component, name string, state ingot.IndicatorState) error {
	return a.note(component, name, state)
}

func (a *aside) ConsoleInfo(context.Context, ingot.Node) (map[string]any, error) {
	return a.console, a.fail
}
func (a *aside) SetConsole(_ context.Context, _ ingot.Node, on bool) error { return a.note(on) }

func (a *aside) OpenConsole(_ context.Context, _ ingot.Node, force bool) (io.ReadWriteCloser, error) {
	return a.serial, a.note(force)
}

func (a *aside) ConsoleLog(_ context.Context, _ ingot.Node, most int64) ([]byte, error) {
	return []byte(a.said), a.note(most)
}

func (a *aside) Media(context.Context, ingot.Node) ([]ingot.Medium, error) {
	return []ingot.Medium{{Types: []string{"CD", "DVD"}, Inserted: true, Image: "http://x/a.iso"}, {Types: []string{"Floppy"}}}, a.fail
}

func (a *aside) AttachMedia(_ context.Context, _ ingot.Node, device ingot.MediaDevice, url string) error {
	return a.note(device, url)
}

func (a *aside) DetachMedia(_ context.Context, _ ingot.Node, devices []ingot.MediaDevice) error {
	return a.note(devices)
}

func (a *aside) VendorMethods(context.Context, ingot.Node) ([]ingot.VendorMethod, error) {
	return []ingot.VendorMethod{{Name: "send_raw", HTTP: []string{"POST"}, Async: true, Lock: true, Description: "Send."}}, a.fail
}

func (a *aside) CallVendor(_ context.Context, _ ingot.Node, name, method string, args map[string]any) (ingot.VendorMethod, any, error) {
	err := a.note(name, method, args)
	return ingot.VendorMethod{Name: name, Async: name == "send_raw"}, map[string]any{"said": args["bar"]}, err
}

// startAside serves the API with such a conductor, with a node ex1.
func startAside(t *testing.T, change ...func(*api.API)) (*service, *aside) {
	t.Helper()
	a := &aside{}
	s := start(t, append(change, func(x *api.API) { x.Firmware, x.Indicators, x.Consoles, x.Media, x.Vendors = a, a, a, a, a })...)
	s.enrol(t, "ex1")
	return s, a
}

// TestAside asks for each thing once, and looks at what arrives and at what is answered.
func TestAside(t *testing.T) {
	t.Parallel()
	const node = "/v1/nodes/ex1"
	for _, tc := range []struct {
		method, path string
		body         any
		status       int
		answer       string // JSON; "" is none
		asked        []any
		location     string
	}{
		{"PUT", node + "/states/boot_mode", `{"target": "bios"}`, 202, "", []any{ingot.ModeBIOS}, node + "/states"},
		{"PUT", node + "/states/secure_boot", `{"target": "true"}`, 202, "", []any{true}, node + "/states"},
		{"PUT", node + "/states/raid", `{"logical_disks": []}`, 204, "", []any{map[string]any{"logical_disks": []any{}}}, ""},
		{"GET", "/v1/drivers/ipmi/raid/logical_disk_properties", nil, 200, `{"size_gb": "Size."}`, nil, ""},
		{"GET", node + "/management/indicators/led@system", nil, 200, `{"state": "blinking"}`, []any{"system", "led"}, ""},
		{"PUT", node + "/management/indicators/led@system", `{"state": "off"}`, 204, "", []any{"system", "led", ingot.IndicatorOff}, ""},
		{"GET", node + "/states/console", nil, 200, `{"console_enabled": false, "console_info": null}`, nil, ""},
		{"PUT", node + "/states/console", `{"enabled": "true"}`, 202, "", []any{true}, node + "/states/console"},
		{"PUT", node + "/states/console?enabled=false", nil, 202, "", []any{false}, node + "/states/console"},
		{"GET", node + "/vmedia", nil, 200, `[{"media_types": ["CD", "DVD"], "inserted": true, "image": "http://x/a.iso"}, {"media_types": ["Floppy"], "inserted": false, "image": null}]`, nil, ""},
		{"POST", node + "/vmedia", `{"device_type": "cdrom", "image_url": "http://x/a.iso", "image_download_source": "http"}`, 204, "", []any{ingot.MediaCDROM, "http://x/a.iso"}, ""},
		{"DELETE", node + "/vmedia", nil, 204, "", []any{[]ingot.MediaDevice{}}, ""},
		{"DELETE", node + "/vmedia?device_types=cdrom,floppy", nil, 204, "", []any{[]ingot.MediaDevice{ingot.MediaCDROM, ingot.MediaFloppy}}, ""},
		{"GET", node + "/vendor_passthru/methods", nil, 200, `{"send_raw": {"async": true, "attach": false, "description": "Send.", "http_methods": ["POST"], "require_exclusive_lock": true}}`, nil, ""},
		{"POST", node + "/vendor_passthru/send_raw", `{"raw_bytes": "0x00"}`, 202, "", []any{"send_raw", "POST", map[string]any{"raw_bytes": "0x00"}}, ""},
		{"POST", node + "/vendor_passthru?method=ask", `{"bar": "baz"}`, 200, `{"said": "baz"}`, []any{"ask", "POST", map[string]any{"bar": "baz"}}, ""},
		{"DELETE", node + "/vendor_passthru?method=ask", nil, 200, `{"said": null}`, []any{"ask", "DELETE", map[string]any{}}, ""},
		{"GET", "/v1/drivers/ipmi/vendor_passthru/methods", nil, 200, `{}`, nil, ""},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			t.Parallel()
			s, a := startAside(t)
			answer := s.must(t, tc.status, tc.method, tc.path, tc.body)
			if tc.answer == "" {
				require.Empty(t, answer.text)
			} else {
				require.JSONEq(t, tc.answer, answer.text)
			}
			require.Equal(t, tc.asked, a.asked)
			if tc.location != "" {
				require.Equal(t, s.URL+tc.location, answer.Header.Get("Location"))
			}
		})
	}
}

func TestIndicatorsAreNamedByTheirPlace(t *testing.T) {
	t.Parallel()
	s, _ := startAside(t)
	list := s.must(t, 200, "GET", "/v1/nodes/ex1/management/indicators", nil).text
	at := "/nodes/ex1/management/indicators/led@system"
	require.JSONEq(t, `{"indicators": [{"name": "led@system", "component": "system", "readonly": false, "states": ["off", "on"], "links": [
		{"href": "`+s.URL+"/v1"+at+`", "rel": "self"}, {"href": "`+s.URL+at+`", "rel": "bookmark"}]}]}`, list)
}

func TestAConsoleThatIsOn(t *testing.T) {
	t.Parallel()
	s, a := startAside(t)
	a.console = map[string]any{"type": "socat", "url": "tcp://h:1"}
	require.JSONEq(t, `{"console_enabled": true, "console_info": {"type": "socat", "url": "tcp://h:1"}}`, s.must(t, 200, "GET", "/v1/nodes/ex1/states/console", nil).text)
}

// TestAsideRefusals: what is wrong is said in Ironic's words, and nothing arrives.
func TestAsideRefusals(t *testing.T) {
	t.Parallel()
	s, a := startAside(t)
	const node = "/v1/nodes/ex1"
	for _, tc := range []struct {
		method, path string
		body         any
		version      string
		status       int
		says         string
	}{
		{"PUT", node + "/states/boot_mode", `{"target": "bios"}`, "1.75", 404, "This endpoint is supported starting with the API version 1.76"},
		{"PUT", node + "/states/boot_mode", `{"target": "coreboot"}`, "1.115", 400, "Invalid boot mode coreboot requested for node. Allowed boot modes are: uefi, bios"},
		{"PUT", node + "/states/boot_mode", `{}`, "1.115", 400, "Missing mandatory parameter: target"},
		{"PUT", node + "/states/secure_boot", `{"target": true}`, "1.75", 404, "This endpoint is supported starting with the API version 1.76"},
		{"PUT", node + "/states/secure_boot", `{"target": "perhaps"}`, "1.115", 400, "Invalid target: Unrecognized value 'perhaps'"},
		{"PUT", node + "/states/secure_boot", `{"target": null}`, "1.115", 400, "Invalid secure_boot None requested for node."},
		{"PUT", node + "/states/raid", `{}`, "1.11", 406, "Request not acceptable."},
		{"PUT", node + "/states/raid", `[]`, "1.115", 400, "Expected types"},
		{"GET", "/v1/drivers/ipmi/raid/logical_disk_properties", nil, "1.11", 406, "Request not acceptable."},
		{"GET", "/v1/drivers/nope/raid/logical_disk_properties", nil, "1.115", 404, "Could not find the following driver(s) or hardware type(s): nope."},
		{"GET", node + "/management/indicators", nil, "1.62", 404, ""},
		{"GET", node + "/management/indicators/system", nil, "1.115", 400, `Malformed indicator name "system"`},
		{"PUT", node + "/management/indicators/led@system", `{"state": "dim"}`, "1.115", 400, "Invalid indicator state dim specified."},
		{"PUT", node + "/states/console", `{}`, "1.115", 400, "Missing mandatory parameter: enabled"},
		{"GET", node + "/vmedia", nil, "1.92", 404, ""},
		{"POST", node + "/vmedia", `{"device_type": "cdrom", "image_url": "http://x/a"}`, "1.88", 404, ""},
		{"POST", node + "/vmedia", `{"device_type": "tape", "image_url": "http://x/a"}`, "1.115", 400, "Schema error for vmedia: 'tape' is not one of ['disk', 'cdrom', 'floppy']"},
		{"POST", node + "/vmedia", `{"device_type": "cdrom"}`, "1.115", 400, "Schema error for vmedia: 'image_url' is a required property"},
		{"POST", node + "/vmedia", `{"device_type": "cdrom", "image_url": 5}`, "1.115", 400, "Schema error for vmedia: 5 is not of type 'string'"},
		{"POST", node + "/vmedia", `{"device_type": "cdrom", "image_url": "http://x/a", "password": "p"}`, "1.115", 400, "Schema error for vmedia: Additional properties are not allowed ('password' was unexpected)"},
		{"POST", node + "/vmedia", `{"device_type": "cdrom", "image_url": "file:///a"}`, "1.115", 400, "Unsupported or missing URL scheme: file"},
		{"POST", node + "/vmedia", `{"device_type": "cdrom", "image_url": "http://x/a", "image_download_source": "local"}`, "1.115", 400, "image_download_source local is not carried out"},
		{"DELETE", node + "/vmedia?device_types=tape", nil, "1.115", 400, "Invalid device type(s) tape (valid are disk, cdrom, floppy)"},
		{"POST", node + "/vendor_passthru", `{}`, "1.115", 400, "Missing mandatory parameter: method"},
		{"POST", node + "/vendor_passthru?method=", `{}`, "1.115", 400, "Method not specified"},
		{"POST", node + "/vendor_passthru?method=ask", `[]`, "1.115", 400, "Expected an object in the request's body: []"},
		{"POST", "/v1/drivers/ipmi/vendor_passthru?method=ask", `{}`, "1.115", 400, "No handler for method ask"},
		{"POST", "/v1/drivers/nope/vendor_passthru?method=ask", `{}`, "1.115", 404, "Could not find"},
	} {
		answer := s.must(t, tc.status, tc.method, tc.path, tc.body, version(tc.version))
		require.Contains(t, answer.fault(), tc.says, "%s %s", tc.method, tc.path)
	}
	require.Empty(t, a.asked)
}

// TestAsideUnsupported: a driver that cannot is a 400, and of RAID a 404.
func TestAsideUnsupported(t *testing.T) {
	t.Parallel()
	s, a := startAside(t)
	a.fail = ingot.Errorf(ingot.Unsupported, "Driver ipmi does not support it (disabled or not implemented).")
	for path, body := range map[string]string{"states/boot_mode": `{"target": "uefi"}`, "states/secure_boot": `{"target": false}`, "states/console": `{"enabled": true}`, "management/indicators/a@b": `{"state": "on"}`} {
		require.Contains(t, s.must(t, 400, "PUT", "/v1/nodes/ex1/"+path, body).fault(), "does not support it", path)
	}
	require.Contains(t, s.must(t, 404, "PUT", "/v1/nodes/ex1/states/raid", `{"logical_disks": [{}]}`).fault(), "does not support it")
	a.fail = ingot.Errorf(ingot.Unauthorized, "cannot log in to BMC 10.0.0.1")
	require.Contains(t, s.must(t, 500, "GET", "/v1/nodes/ex1/vmedia", nil).fault(), "cannot log in to BMC")
}

// TestFirmwareIsLeftWhileTheNodeChanges: boot mode and secure boot are refused in states that pass.
func TestFirmwareIsLeftWhileTheNodeChanges(t *testing.T) {
	t.Parallel()
	s, a := startAside(t)
	n, err := s.Store.Node(t.Context(), "ex1")
	require.NoError(t, err)
	_, err = s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.ProvisionState = ingot.Adopting; return nil }})
	require.NoError(t, err)
	for path, body := range map[string]string{"boot_mode": `{"target": "uefi"}`, "secure_boot": `{"target": false}`} {
		require.Contains(t, s.must(t, 409, "PUT", "/v1/nodes/ex1/states/"+path, body).fault(), "Node is in adopting state.")
	}
	require.Empty(t, a.asked)
}
