package vbmc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/bmc-toolbox/bmclib/v2/providers/redfish"
	"github.com/go-logr/logr"
	"github.com/jacobweinstock/registrar"
	"github.com/stmcginnis/gofish"
	gofishredfish "github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// certificate makes a self-signed certificate for 127.0.0.1, as TLS
// configuration and as PEM.
func certificate(t *testing.T) (*tls.Config, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// sushyScript is what Ironic does with a node, by Ironic's own library.
const sushyScript = `
import sys, sushy
from sushy import auth
url, user, password, ca, kind = sys.argv[1:]
a = auth.SessionAuth(user, password) if kind == 'session' else auth.BasicAuth(user, password)
root = sushy.Sushy(url, auth=a, verify=ca or False)
system = root.get_system('/redfish/v1/Systems/1')
assert len(root.get_system_collection().members_identities) == 1
assert system.uuid == '4c4c4544-0051-3510-8052-b4c04f4b4d31', system.uuid
assert system.power_state == sushy.PowerState.OFF
assert system.memory_summary.size_gib == 2, system.memory_summary
assert sorted(system.ethernet_interfaces.summary) == ['52:54:00:00:00:01', '52:54:00:00:00:02']
assert sushy.RESET_NMI in system.get_allowed_reset_system_values()
assert system.boot.mode == sushy.BOOT_SOURCE_MODE_UEFI
system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_PXE, enabled=sushy.BOOT_SOURCE_ENABLED_ONCE, mode=sushy.BOOT_SOURCE_MODE_UEFI)
system.refresh()
assert system.boot.target == sushy.BOOT_SOURCE_TARGET_PXE and system.boot.enabled == sushy.BOOT_SOURCE_ENABLED_ONCE
system.reset_system(sushy.RESET_ON)
system.refresh()
assert system.power_state == sushy.PowerState.ON
assert system.boot.enabled == sushy.BOOT_SOURCE_ENABLED_DISABLED
system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_HDD, enabled=sushy.BOOT_SOURCE_ENABLED_CONTINUOUS, mode=sushy.BOOT_SOURCE_MODE_BIOS)
system.reset_system(sushy.RESET_FORCE_RESTART)
system.refresh()
assert system.boot.enabled == sushy.BOOT_SOURCE_ENABLED_CONTINUOUS and system.boot.mode == sushy.BOOT_SOURCE_MODE_BIOS
system.reset_system(sushy.RESET_NMI)
manager = root.get_manager('/redfish/v1/Managers/1')
assert [m.identity for m in system.managers] == [manager.identity]
cd = manager.virtual_media.get_members()[0]
assert sushy.VIRTUAL_MEDIA_CD in cd.media_types
cd.insert_media('http://192.0.2.1/boot.iso', write_protected=True)
cd.refresh()
assert cd.inserted and cd.image_name == 'boot.iso', cd.image_name
cd.eject_media()
cd.refresh()
assert not cd.inserted
chassis = system.chassis[0]
assert [t.reading_celsius for t in chassis.thermal.temperatures] == [23, 41]
assert [f.reading for f in chassis.thermal.fans] == [4200, 4300]
assert chassis.power.identity == 'Power'
system.reset_system(sushy.RESET_FORCE_OFF)
try:
    system.reset_system(sushy.RESET_FORCE_RESTART)
    raise SystemExit('a machine that is off was restarted')
except sushy.exceptions.HTTPError as e:
    assert e.status_code == 409 and 'while the machine is off' in str(e), e
a.close()
wrong = auth.BasicAuth(user, 'wrong')
try:
    sushy.Sushy(url, auth=wrong, verify=ca or False).get_system('/redfish/v1/Systems/1')
    raise SystemExit('a wrong password was accepted')
except sushy.exceptions.AccessError:
    pass
print('sushy: ok')
`

// sushy returns the interpreter that has sushy, or skips.
func sushy(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import sushy").Run() == nil {
			return python
		}
	}
	t.Skip("sushy is not installed: apt-get install python3-sushy")
	return ""
}

func TestSushy(t *testing.T) {
	python := sushy(t)
	config, ca := certificate(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, kind, ca string
		tls            *tls.Config
	}{{"HTTP with basic authentication", "basic", "", nil}, {"HTTPS with a session", "session", file, config}} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t, func(s *vbmc.Server) { s.TLS = c.tls })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, python, "-c", sushyScript, b.RedfishURL(), testUser, testPassword, c.ca, c.kind)
			// These would win over the certificate and address given.
			command.Env = append(os.Environ(), "REQUESTS_CA_BUNDLE=", "CURL_CA_BUNDLE=", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
			out, err := command.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "sushy: ok") {
				t.Fatalf("sushy: %v\n%s", err, out)
			}
			wantJournal(t, b.log, vbmc.ProtocolMachine,
				`start "pxe once efi"`, `reset "disk persistent"`, `nmi ""`, `stop ""`)
			if media := b.log.Find(vbmc.ProtocolRedfish, vbmc.VerbMediaInsert); len(media) != 1 || media[0].Argument != "http://192.0.2.1/boot.iso" {
				t.Errorf("journal of inserted media: %v", media)
			}
		})
	}
}

func TestGofish(t *testing.T) {
	b := start(t, nil)
	client, err := gofish.Connect(gofish.ClientConfig{Endpoint: b.RedfishURL(), Username: testUser, Password: testPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Logout()
	systems, err := client.Service.Systems()
	if err != nil || len(systems) != 1 {
		t.Fatalf("systems: %v, %v", systems, err)
	}
	system := systems[0]
	if system.UUID != b.machine.Describe().UUID.String() || system.Manufacturer != "Acme" || system.PowerState != gofishredfish.OffPowerState {
		t.Errorf("system: %s %s %s", system.UUID, system.Manufacturer, system.PowerState)
	}
	err = system.SetBoot(gofishredfish.Boot{
		BootSourceOverrideTarget:  gofishredfish.UefiHTTPBootSourceOverrideTarget,
		BootSourceOverrideEnabled: gofishredfish.OnceBootSourceOverrideEnabled,
		BootSourceOverrideMode:    gofishredfish.UEFIBootSourceOverrideMode, HTTPBootURI: "http://192.0.2.1/x.efi",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := system.Reset(gofishredfish.OnResetType); err != nil {
		t.Fatal(err)
	}
	want := vbmc.Boot{Device: vbmc.BootUEFIHTTP, EFI: true, URI: "http://192.0.2.1/x.efi"}
	if got := b.machine.lastBoot(t); got != want {
		t.Errorf("the machine was told to boot %v, want %v", got, want)
	}
	chassis, err := client.Service.Chassis()
	if err != nil || len(chassis) != 1 {
		t.Fatalf("chassis: %v, %v", chassis, err)
	}
	thermal, err := chassis[0].Thermal()
	if err != nil || len(thermal.Fans) != 2 || thermal.Temperatures[0].ReadingCelsius != 23 {
		t.Errorf("thermal: %+v, %v", thermal, err)
	}
	power, err := chassis[0].Power()
	if err != nil || len(power.Voltages) != 1 || power.PowerControl[0].PowerConsumedWatts != 148 {
		t.Errorf("power: %+v, %v", power, err)
	}
	ports, err := system.EthernetInterfaces()
	var addresses []string
	for _, port := range ports { // in no fixed order
		addresses = append(addresses, port.MACAddress)
	}
	slices.Sort(addresses)
	if want := b.machine.Describe().MACs; err != nil || !slices.Equal(addresses, want) {
		t.Errorf("network ports: %v, %v; want %v", addresses, err, want)
	}
	sessions, err := client.Service.Sessions()
	if err != nil || len(sessions) != 1 {
		t.Errorf("sessions: %v, %v", sessions, err)
	}
}

// bmclibClient is a bmclib client with nothing but the Redfish provider.
func bmclibClient(t *testing.T, b bmcUnderTest, password string) *bmclib.Client {
	t.Helper()
	at, err := url.Parse(b.RedfishURL())
	if err != nil {
		t.Fatal(err)
	}
	registry := registrar.NewRegistry()
	provider := redfish.New(at.Hostname(), testUser, password, logr.Discard(), redfish.WithPort(at.Port()))
	registry.Register(redfish.ProviderName, redfish.ProviderProtocol, redfish.Features, nil, provider)
	return bmclib.NewClient(at.Hostname(), testUser, password, bmclib.WithRegistry(registry))
}

func TestBmclib(t *testing.T) {
	config, _ := certificate(t)
	b := start(t, func(s *vbmc.Server) { s.TLS = config })
	client, ctx := bmclibClient(t, b, testPassword), t.Context()
	if err := client.Open(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := client.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	must := func(what string, ok bool, err error) {
		t.Helper()
		if !ok || err != nil {
			t.Fatalf("%s: %v, %v", what, ok, err)
		}
	}
	ok, err := client.SetBootDevice(ctx, "pxe", false, true)
	must("boot device", ok, err)
	ok, err = client.SetPowerState(ctx, "on")
	must("power on", ok, err)
	state, err := client.GetPowerState(ctx)
	must("power state", state == "On", err)
	ok, err = client.SetVirtualMedia(ctx, "CD", "http://192.0.2.1/boot.iso")
	must("virtual media", ok, err)
	if b.machine.media != "http://192.0.2.1/boot.iso" {
		t.Errorf("the drive holds %q", b.machine.media)
	}
	ok, err = client.SetBootDevice(ctx, "cdrom", true, true)
	must("boot device", ok, err)
	ok, err = client.SetPowerState(ctx, "cycle")
	must("cycle", ok, err)
	must("NMI", true, client.SendNMI(ctx))
	ok, err = client.SetBootDevice(ctx, "none", false, true)
	must("no boot device", ok, err)
	ok, err = client.SetPowerState(ctx, "off")
	must("power off", ok, err)
	wantJournal(t, b.log, vbmc.ProtocolMachine,
		`start "pxe once efi"`, `reset "cdrom persistent efi"`, `nmi ""`, `stop ""`)
	boots := b.log.Find(vbmc.ProtocolRedfish, vbmc.VerbBootDevice)
	if !slices.ContainsFunc(boots, func(e vbmc.Entry) bool { return e.Argument == "none" }) {
		t.Errorf("journal of boot devices: %v", boots)
	}
}

func TestBmclibWrongPassword(t *testing.T) {
	config, _ := certificate(t)
	b := start(t, func(s *vbmc.Server) { s.TLS = config })
	if err := bmclibClient(t, b, "wrong").Open(t.Context()); err == nil {
		t.Fatal("a wrong password was accepted")
	}
	logins := b.log.Find(vbmc.ProtocolRedfish, vbmc.VerbLogin)
	if len(logins) == 0 || !strings.HasPrefix(logins[0].Outcome, "401 ") {
		t.Errorf("journal of logins: %v", logins)
	}
}
