package cmdline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/cmdline"
)

func TestParse(t *testing.T) {
	o := cmdline.Parse(`BOOT_IMAGE=/vmlinuz console=ttyS0,115200 systemd.unit=x "ipa-api-url=http://10.0.0.1:6385,ftp://no,https://[fd00::1]:6385/" ` +
		`ipa-inspection-callback-url=http://10.0.0.1:6385/v1/continue_inspection ipa-inspection-collectors=default,logs ipa-debug=1 ipa-insecure ` +
		`BOOTIF=01-52-54-00-AA-bb-cc root_device=model=QEMU%20HARDDISK,size=>=%2010 ipa-disk-wait-attempts=2 ipa-disk-wait-delay=1.5 ` +
		`ipa-lookup-timeout=junk ipa-listen-port=70000 ipa-collect-lldp=1 ipa-agent-token=abc` + "\n")
	require.Equal(t, cmdline.Options{
		APIURLs:        []string{"http://10.0.0.1:6385", "https://[fd00::1]:6385/"},
		InspectionURLs: []string{"http://10.0.0.1:6385/v1/continue_inspection"},
		Collectors:     []string{"default", "logs"},
		Debug:          true, Insecure: true, Token: "abc", BootIF: "01-52-54-00-AA-bb-cc",
		RootDevice: map[string]any{"model": "QEMU HARDDISK", "size": ">= 10"},
		ListenPort: 9999, AdvertisePort: 9999, LookupTimeout: 600 * time.Second, HTTPTimeout: 30 * time.Second, DiskWait: 3 * time.Second,
		Ignored: []string{"ipa-collect-lldp"},
	}, o)
	require.Equal(t, "52:54:00:aa:bb:cc", o.BootMAC())
	require.Empty(t, cmdline.Parse("BOOTIF=junk").BootMAC())
	require.Equal(t, "52:54:00:aa:bb:cc", cmdline.Parse("BOOTIF=52-54-00-aa-bb-cc").BootMAC())
}

func TestWords(t *testing.T) {
	require.Equal(t, []string{"a", "b=c d", "", "e"}, cmdline.Words("a \tb=\"c d\" \"\" e\n"))
}

func TestPublic(t *testing.T) {
	require.Equal(t, "quiet ipa-api-url=http://x ipa-agent-token=******", cmdline.Public("quiet ipa-api-url=http://x ipa-agent-token=hunter2"))
}

func FuzzParse(f *testing.F) {
	f.Add(`ipa-api-url=http://x BOOTIF=01-52-54-00-aa-bb-cc root_device=size=1,x=%zz "`)
	f.Add("ipa-lookup-timeout=1e309 ipa-disk-wait-delay=NaN ipa-disk-wait-attempts=99999999999999999999")
	f.Fuzz(func(t *testing.T, line string) {
		o := cmdline.Parse(line)
		if o.DiskWait < 0 || o.LookupTimeout < 0 || o.ListenPort < 0 || o.ListenPort > 65535 {
			t.Fatalf("%+v", o)
		}
		if mac := o.BootMAC(); mac != "" && strings.Count(mac, ":") != 5 {
			t.Fatal(mac)
		}
	})
}
