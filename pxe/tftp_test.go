package pxe_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestTFTPClients fetches a loader with every TFTP client there is, small and large blocks, and nothing else.
func TestTFTPClients(t *testing.T) {
	needProgram(t, "udhcpc", "curl", "tftp", "atftp")
	r := newRack(t, kernelSpec(), nil)
	want, err := os.ReadFile("/usr/lib/ipxe/snponly.efi")
	if err != nil {
		t.Skipf("needs the package ipxe: %v", err)
	}
	h := newHost(t, r.bridge, "eth0", testMAC)
	h.run(t, "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-s", "/bin/true")
	h.run(t, "ip", "addr", "add", "10.77.0.160/24", "dev", "eth0")
	got := filepath.Join(r.dir, "got")
	for _, command := range [][]string{
		{"curl", "-m", "20", "-s", "-o", got, "tftp://10.77.0.1/snponly.efi"},
		{"curl", "-m", "20", "-s", "-o", got, "--tftp-blksize", "1468", "tftp://10.77.0.1/snponly.efi"},
		{"curl", "-m", "20", "-s", "-o", got, "--tftp-blksize", "8192", "tftp://10.77.0.1//snponly.efi"},
		{"curl", "-m", "20", "-s", "-o", got, "--tftp-no-options", "tftp://10.77.0.1/snponly.efi"},
		{"tftp", "-m", "binary", "10.77.0.1", "-c", "get", "snponly.efi", got},
		{"atftp", "--option", "blksize 1428", "--option", "tsize 0", "-g", "-r", "snponly.efi", "-l", got, "10.77.0.1"},
	} {
		os.Remove(got)
		h.run(t, command[0], command[1:]...)
		if data, err := os.ReadFile(got); err != nil || !bytes.Equal(data, want) {
			t.Errorf("%v: %d bytes, %v", command, len(data), err)
		}
	}
	sent := func(what string) bool { return what == "sent snponly.efi" }
	waitFor(t, 5*time.Second, "the evidence", func() bool { return count(r.evidence(), sent) == 6 })
	for _, name := range []string{"../../../etc/passwd", "/etc/passwd", "ipxe.iso", "snponly.efi/", "./snponly.efi", "qemu/pxe-virtio.rom"} {
		out, err := exec.Command("nsenter", h.in("curl", "-m", "20", "-sS", "--path-as-is", "-o", got, "tftp://10.77.0.1/"+name)...).CombinedOutput()
		if err == nil {
			t.Errorf("%s was sent: %s", name, out)
		}
	}
	if out, err := exec.Command("nsenter", h.in("curl", "-m", "20", "-sS", "-T", "/etc/hostname", "tftp://10.77.0.1/snponly.efi")...).CombinedOutput(); err == nil {
		t.Errorf("a write was taken: %s", out)
	}
}

func count(list []string, is func(string) bool) int {
	n := 0
	for _, s := range list {
		if is(s) {
			n++
		}
	}
	return n
}

// TestTFTPRubbish sends what is no request and asks properly after it.
func TestTFTPRubbish(t *testing.T) {
	needProgram(t, "curl")
	r := newRack(t, nil, nil)
	h := newHost(t, r.bridge, "eth0", testMAC)
	h.run(t, "ip", "addr", "add", "10.77.0.160/24", "dev", "eth0")
	conn := h.dial(t, "10.77.0.1:69")
	for _, rubbish := range tftpRubbish() {
		if _, err := conn.Write(rubbish); err != nil {
			t.Fatal(err)
		}
	}
	got := filepath.Join(r.dir, "got")
	h.run(t, "curl", "-m", "20", "-s", "-o", got, "tftp://10.77.0.1/undionly.kpxe")
	if info, err := os.Stat(got); err != nil || info.Size() < 50_000 {
		t.Errorf("got %v, %v", info, err)
	}
}

// tftpRubbish is malformed requests of many kinds.
func tftpRubbish() [][]byte {
	all := [][]byte{
		{},
		{0},
		{0, 1},
		{0, 1, 0},
		{0, 1, 0, 0, 0, 0},
		[]byte("\x00\x01snponly.efi"), []byte("\x00\x01snponly.efi\x00"),
		[]byte("\x00\x01snponly.efi\x00octet"), []byte("\x00\x01snponly.efi\x00octet\x00blksize\x00"), []byte("\x00\x01snponly.efi\x00octet\x00blksize\x00-1\x00"),
		[]byte("\x00\x01snponly.efi\x00octet\x00blksize\x0099999999999999999999\x00tsize\x00x\x00"), []byte("\x00\x01snponly.efi\x00netascii\x00"),
		[]byte("\x00\x01snponly.efi\x00octet\x00windowsize\x0065535\x00timeout\x000\x00"), []byte("\x00\x02x\x00octet\x00"),
		{0, 3, 0, 1},
		{0, 4, 0, 1},
		{0, 5, 0, 0, 0},
		{0, 6, 1, 1, 0, 0},
		{255, 255, 0, 0},
	}
	return append(all, bytes.Repeat([]byte{0, 1, 'a', 0}, 300), slices.Concat([]byte{0, 1}, bytes.Repeat([]byte("../"), 400), []byte("\x00octet\x00")))
}
