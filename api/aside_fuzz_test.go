package api_test

import (
	"testing"

	"github.com/ingot-metal/ingot/api"
)

// FuzzAside: bodies and names of what is done to machines beside their life; never 5xx.
func FuzzAside(f *testing.F) {
	for _, seed := range []string{
		`{"target": "uefi"}`, `{"target": true}`, `{"logical_disks": [{"raid_level": "1", "size_gb": 1}]}`, `{"state": "on"}`, `{"enabled": 1}`,
		`{"device_type": "cdrom", "image_url": "http://x/%zz"}`, `{"device_type": [], "image_url": null, "image_download_source": "http"}`, `{"raw_bytes": "0x00 0x01"}`,
		`null`, `[]`, `5`, `{"a":`, "\xff", `{"target": null}`, `{"method": "x"}`,
	} {
		f.Add(seed, "led@system")
		f.Add(seed, "%40%2F?method=&a=b")
	}
	a := &aside{}
	s := start(f, func(x *api.API) {
		x.Firmware, x.Indicators, x.Consoles, x.Media, x.Vendors, x.FirmwareStore = a, a, a, a, a, x.History.(api.FirmwareStore)
	})
	s.enrol(f, "n1")
	f.Fuzz(func(t *testing.T, text, name string) {
		const node = "/v1/nodes/n1"
		for path, method := range map[string]string{
			"/states/boot_mode": "PUT", "/states/secure_boot": "PUT", "/states/raid": "PUT", "/states/console": "PUT", "/vmedia": "POST", "/management/indicators/" + name: "PUT",
			"/vendor_passthru/" + name: "PATCH", "/vendor_passthru?method=" + name: "POST", "/bios/" + name: "GET", "/firmware?fields=" + name: "GET", "/vmedia?device_types=" + name: "DELETE",
		} {
			s.answers(t, method, node+path, text, "1.115")
		}
		a.asked = nil
	})
}
