package pxe_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// scripts are the specs that scripts are golden for.
func scripts() map[string]ingot.BootSpec {
	return map[string]ingot.BootSpec{
		"kernel": {
			Action: ingot.BootKernel, Node: rackUUID, Why: "deploy ramdisk", Kernel: "/boot/file/abc/vmlinuz", Initrd: "/boot/file/abc/initrd",
			Cmdline: "ipa-api-url={boot} nofb nomodeset  console=ttyS0,115200n8 systemd.journald.forward_to_console=yes",
		},
		"kernel-alone": {Action: ingot.BootKernel, Why: "rescue; ${net0/mac} || shell", Kernel: "https://files.example/vmlinuz"},
		"local-disk":   {Action: ingot.BootLocalDisk, Why: "deployed"},
		"silence":      {Action: ingot.BootSilence, Why: "unknown machine"},
	}
}

func TestScripts(t *testing.T) {
	for name, spec := range scripts() {
		text, err := pxe.Script(spec, "http://10.77.0.1:8088", "http://10.77.0.1:8088/boot/script?mac=52:54:00:aa:00:09")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, "testdata/script-"+name+".ipxe", text)
	}
}

// TestScriptRefuses is what iPXE would read as something else than was meant.
func TestScriptRefuses(t *testing.T) {
	good := scripts()["kernel"]
	for want, change := range map[string]func(*ingot.BootSpec){
		"control character":    func(s *ingot.BootSpec) { s.Cmdline = "quiet\nshell" },
		"which iPXE would":     func(s *ingot.BootSpec) { s.Cmdline = "a=${net0/mac}" },
		`word "||"`:            func(s *ingot.BootSpec) { s.Cmdline = "a || shell" },
		`word "#b"`:            func(s *ingot.BootSpec) { s.Cmdline = "a #b" },
		"a URL without spaces": func(s *ingot.BootSpec) { s.Kernel = "/boot/file/x y" },
		`cannot boot from ""`:  func(s *ingot.BootSpec) { s.Kernel = "" },
		"cannot boot from \"h": func(s *ingot.BootSpec) { s.Initrd = "http://x/\nshell" },
	} {
		spec := good
		change(&spec)
		if text, err := pxe.Script(spec, "http://h", "http://h/s"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q; script %q", err, want, text)
		}
	}
}

// get asks the bench's handler as a machine at 10.77.0.160.
func (b *bench) get(method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "10.77.0.160:40000"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.server.Handler().ServeHTTP(w, r)
	return w
}

// newWebBench is a bench with files, where the test's machine has a lease.
func newWebBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, func(s *pxe.Server) {
		s.Files = files{"vmlinuz": []byte("kernel"), "initrd": bytes.Repeat([]byte("0123456789"), 1000)}
	})
	hw, _ := netip.ParseAddr("10.77.0.160")
	b.leases.rows["lab "+testMAC] = ingot.Lease{Network: "lab", MAC: testMAC, Address: hw, Until: b.clock.Now().Unix() + 60}
	b.wants("OFFER 10.77.0.100", packet(t, discover, mac(1), requested("10.77.0.100"))) // makes it read the leases
	b.decider.seen = nil
	return b
}

func TestScriptRequest(t *testing.T) {
	b := newWebBench(t)
	w := b.get("GET", "http://boot.example:8088/boot/script?mac=52-54-00-AA-00-09&arch=7&uuid="+rackUUID)
	text := w.Body.String()
	for _, want := range []string{
		"#!ipxe\n", "kernel http://boot.example:8088/boot/file/good/vmlinuz initrd=initrd ipa-api-url=http://boot.example:8088 console=ttyS0 ||",
		"chain --replace --autofree http://boot.example:8088/boot/script?mac=52:54:00:aa:00:09&arch=7&uuid=" + rackUUID,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	want := ingot.BootRequest{Network: "lab", MAC: testMAC, Address: netip.MustParseAddr("10.77.0.160"), Arch: ingot.ArchX64, UUID: rackUUID, Loader: "ipxe"}
	if got := b.decider.requests()[0]; got != want {
		t.Errorf("the decider was asked %+v", got)
	}
	if got := b.decider.evidence(); len(got) != 1 || got[0] != "lab "+testMAC+" sent script: deploy ramdisk" {
		t.Errorf("evidence %q", got)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("a script may be cached")
	}
}

// TestScriptParameters is what iPXE scripts of other people send.
func TestScriptParameters(t *testing.T) {
	for query, want := range map[string]struct {
		status int
		arch   ingot.Arch
	}{
		"mac=" + testMAC: {200, ingot.ArchBIOS},
		"mac=" + testMAC + "&arch=x86_64&platform=efi":    {200, ingot.ArchX64},
		"mac=" + testMAC + "&arch=i386&platform=pcbios":   {200, ingot.ArchBIOS},
		"mac=" + testMAC + "&arch=arm64&platform=efi":     {200, ingot.ArchARM64},
		"mac=" + testMAC + "&uuid=nonsense":               {200, ingot.ArchBIOS},
		"mac=" + testMAC + "&arch=sparc":                  {400, 0},
		"mac=" + testMAC + "&arch=70000":                  {400, 0},
		"mac=52:54":                                       {400, 0},
		"mac=00:00:00:00:fe:80:00:00:00:00":               {400, 0},
		"":                                                {400, 0},
		"mac=" + testMAC + "&uuid=" + rackUUID + "&x=%zz": {200, ingot.ArchBIOS},
	} {
		b := newWebBench(t)
		w := b.get("GET", "http://10.77.0.1:8088/boot/script?"+query)
		if w.Code != want.status {
			t.Errorf("%s: status %d: %s", query, w.Code, w.Body)
		}
		if asked := b.decider.requests(); want.status == 200 && asked[0].Arch != want.arch {
			t.Errorf("%s: the decider was asked %+v", query, asked)
		}
	}
}

func TestScriptWithoutDecision(t *testing.T) {
	b := newWebBench(t)
	b.decider.err = errors.New("database is away")
	if w := b.get("GET", "http://10.77.0.1:8088/boot/script?mac="+testMAC); w.Code != http.StatusServiceUnavailable ||
		b.decider.evidence()[0] != "lab "+testMAC+" no script: database is away" {
		t.Errorf("status %d: %s; evidence %q", w.Code, w.Body, b.decider.evidence())
	}
	b = newWebBench(t)
	r := httptest.NewRequest("GET", "/boot/script?mac="+testMAC, nil)
	r.Host = "a b${c}"
	w := httptest.NewRecorder()
	if b.server.Handler().ServeHTTP(w, r); w.Code != http.StatusBadRequest {
		t.Errorf("status %d for a bad Host: %s", w.Code, w.Body)
	}
}

func TestFiles(t *testing.T) {
	b := newWebBench(t)
	for _, test := range []struct {
		method, path, span string
		status             int
		body               string
		evidence           int // entries after it
	}{
		{"GET", "/boot/file/good/vmlinuz", "", 200, "kernel", 1},
		{"HEAD", "/boot/file/good/vmlinuz", "", 200, "", 1},
		{"GET", "/boot/file/good/initrd", "bytes=5-7", 206, "567", 1},
		{"GET", "/boot/file/good/initrd", "bytes=9995-", 206, "56789", 2},
		{"GET", "/boot/file/good/initrd", "bytes=20000-", 416, "", 2},
		{"GET", "/boot/file/bad/vmlinuz", "", 404, "", 2},
		{"GET", "/boot/file/good/other", "", 404, "", 2},
		{"GET", "/boot/file/broken/vmlinuz", "", 503, "", 2},
		{"POST", "/boot/file/good/vmlinuz", "", 405, "", 2},
		{"GET", "/boot/loader/ipxe.iso", "", 404, "", 2},
		{"GET", "/boot/loader/local-disk", "", 404, "", 2},
		{"GET", "/boot/loader/..%2fsnponly.efi", "", 404, "", 2},
		{"GET", "/boot/loader/snponly.efi", "bytes=0-3", 206, "uefi", 2},
		{"GET", "/boot/loader/snponly.efi", "", 200, strings.Repeat("uefi", 9000), 3},
	} {
		w := b.get(test.method, "http://10.77.0.1:8088"+test.path, "Range", test.span)
		body, _ := io.ReadAll(w.Body)
		if w.Code != test.status || (w.Code < 300 && string(body) != test.body) {
			t.Errorf("%s %s %s: %d %.80q", test.method, test.path, test.span, w.Code, body)
		}
		if got := b.decider.evidence(); len(got) != test.evidence {
			t.Errorf("%s %s %s: evidence %q", test.method, test.path, test.span, got)
		}
	}
	if got := b.decider.evidence(); got[0] != "lab "+testMAC+" sent vmlinuz" {
		t.Errorf("evidence %q", got)
	}
	if got := b.get("HEAD", "http://10.77.0.1:8088/boot/loader/snponly.efi").Header(); got.Get("Content-Length") != "36000" || got.Get("Content-Type") != "application/efi" {
		t.Errorf("headers %v", got)
	}
}
