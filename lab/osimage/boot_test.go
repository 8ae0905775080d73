package osimage_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/ingot-metal/ingot/images/configdrive"
	"github.com/ingot-metal/ingot/lab/osimage"
)

// realCache decides whether tests run that build images and boot them: INGOT_BUILD_IMAGE=1 with a passing cache, or the name
// of a folder to keep images in.
func realCache(t *testing.T) string {
	t.Helper()
	switch dir := os.Getenv("INGOT_BUILD_IMAGE"); {
	case dir == "" || dir == "0":
		t.Skip("downloads Debian and boots it: set INGOT_BUILD_IMAGE to 1, or to a folder that keeps images")
	case filepath.IsAbs(dir):
		return dir
	}
	return t.TempDir()
}

func build(t *testing.T, o osimage.Options) osimage.Image {
	t.Helper()
	o.CacheDir = realCache(t)
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	start := time.Now()
	require.NoError(t, osimage.Build(t.Context(), o))
	t.Logf("built in %.0f s", time.Since(start).Seconds())
	img := o.Image()
	check := exec.Command("sha256sum", "--check", "--quiet", filepath.Base(img.Sums))
	check.Dir = img.Dir
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command("qemu-img", "compare", img.Raw, img.QCow2).CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command("sgdisk", "--verify", img.Raw).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "No problems found")
	return img
}

// keys makes a key pair: the public one as a line of authorized_keys.
func keys(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

// guest is a running machine.
type guest struct {
	t       *testing.T
	cmd     *exec.Cmd
	monitor string
	serial  string
	port    int
	start   time.Time
	exited  chan error // gets the process's end, once
}

// boot starts a machine with a throw-away layer over the image.
func boot(t *testing.T, img osimage.Image, drive configdrive.Data, args ...string) *guest {
	t.Helper()
	dir := t.TempDir()
	iso, err := configdrive.Build(drive)
	require.NoError(t, err)
	cd := filepath.Join(dir, "config.iso")
	require.NoError(t, os.WriteFile(cd, iso, 0o600))
	g := &guest{t: t, monitor: filepath.Join(dir, "monitor"), serial: filepath.Join(dir, "serial"), port: freePort(t), exited: make(chan error, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	g.cmd = exec.CommandContext(ctx, "qemu-system-x86_64", append([]string{
		"-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "qemu64", "-m", "1024", "-nodefaults", "-no-user-config",
		"-display", "none", "-serial", "file:" + g.serial, "-monitor", "unix:" + g.monitor + ",server=on,wait=off",
		"-netdev", fmt.Sprintf("user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:%d-:22", g.port),
		"-drive", "if=none,id=disk,snapshot=on,format=qcow2,cache=unsafe,file=" + img.QCow2,
		"-drive", "if=none,id=config,format=raw,readonly=on,file=" + cd,
	}, args...)...)
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also when a time limit ends the test program
	g.start = time.Now()
	require.NoError(t, g.cmd.Start())
	go func() { g.exited <- g.cmd.Wait() }()
	t.Cleanup(func() {
		_ = g.cmd.Process.Kill()
		if text, err := os.ReadFile(g.serial); err == nil && t.Failed() {
			t.Logf("the console's end:\n%s", text[max(0, len(text)-4000):])
		}
	})
	return g
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// login tries as long as the machine runs.
func (g *guest) login(key ssh.Signer) *ssh.Client {
	g.t.Helper()
	for {
		client, err := g.dial(key)
		if err == nil {
			g.t.Logf("login after %.1f s", time.Since(g.start).Seconds())
			g.t.Cleanup(func() { client.Close() })
			return client
		}
		require.NotContains(g.t, err.Error(), "unable to authenticate", "an open port means that keys are there")
		select {
		case err := <-g.exited:
			g.t.Fatalf("the machine ended before anybody could log in: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// dial tries once. QEMU accepts the connection long before the guest does.
func (g *guest) dial(key ssh.Signer) (*ssh.Client, error) {
	addr := fmt.Sprintf("127.0.0.1:%d", g.port)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User: "debian", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error {
			g.t.Logf("host key seen after %.1f s", time.Since(g.start).Seconds())
			return nil
		},
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	return ssh.NewClient(c, chans, reqs), conn.SetDeadline(time.Time{})
}

func (g *guest) run(c *ssh.Client, command string) string {
	g.t.Helper()
	s, err := c.NewSession()
	require.NoError(g.t, err)
	defer s.Close()
	out, err := s.CombinedOutput(command)
	require.NoError(g.t, err, "%s: %s", command, out)
	return strings.TrimSpace(string(out))
}

// powerButton presses it, as a BMC's soft off does, and waits for the machine to go off by itself. Nobody heeds the button
// before logind runs, which is some seconds after the first login.
func (g *guest) powerButton(c *ssh.Client) {
	g.t.Helper()
	g.run(c, "for i in $(seq 120); do systemctl is-active systemd-logind && exit; sleep 1; done; exit 1")
	conn, err := net.Dial("unix", g.monitor)
	require.NoError(g.t, err)
	defer conn.Close()
	_, err = fmt.Fprintln(conn, "system_powerdown")
	require.NoError(g.t, err)
	require.NoError(g.t, <-g.exited)
}

func raw(t *testing.T, v any) json.RawMessage {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

func ovmf(t *testing.T) []string {
	const dir = "/usr/share/OVMF/"
	vars, err := os.ReadFile(dir + "OVMF_VARS_4M.fd")
	if err != nil {
		t.Skip("no UEFI firmware: install ovmf")
	}
	own := filepath.Join(t.TempDir(), "vars.fd")
	require.NoError(t, os.WriteFile(own, vars, 0o600))
	return []string{
		"-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + dir + "OVMF_CODE_4M.fd",
		"-drive", "if=pflash,format=raw,unit=1,file=" + own,
	}
}

func TestImageBIOS(t *testing.T) {
	img := build(t, osimage.Options{})
	signer, public := keys(t)
	g := boot(t, img, configdrive.Data{
		MetaData: raw(t, map[string]any{"uuid": "5f3c1c1e-7f3f-4a55-9c4d-0b0d0a3f9c11", "hostname": "lab-one", "public_keys": map[string]string{"k": public}}),
		UserData: raw(t, "#cloud-config\nruncmd:\n- [touch, /run/user-command-ran]\n"),
	}, "-smp", "1", "-device", "virtio-net-pci,netdev=n0,romfile=", "-device", "virtio-blk-pci,drive=disk,bootindex=1", "-device", "virtio-blk-pci,drive=config")
	c := g.login(signer)
	require.Equal(t, "lab-one", g.run(c, "hostname"))
	require.Equal(t, "root", g.run(c, "sudo -n id -un"))
	require.Equal(t, "/etc/ssh/ssh_host_ed25519_key.pub", g.run(c, "ls /etc/ssh/ssh_host_*.pub"))
	require.Empty(t, g.run(c, "systemctl --failed --plain --no-legend"))
	require.Empty(t, g.run(c, "cat /etc/apt/sources.list.d/* /etc/apt/sources.list /etc/apt/apt.conf.d/99* 2>/dev/null || true"))
	g.run(c, "for i in $(seq 120); do test -e /run/user-command-ran && exit; sleep 1; done; exit 1")
	g.powerButton(c)
}

func TestImageUEFI(t *testing.T) {
	img := build(t, osimage.Options{})
	signer, public := keys(t)
	const mac = "52:54:00:12:34:56"
	args := append(ovmf(t), "-smp", "2", "-device", "virtio-net-pci,netdev=n0,romfile=,mac="+mac,
		"-device", "nvme,drive=disk,serial=disk,bootindex=1", "-device", "virtio-scsi-pci", "-device", "scsi-cd,drive=config")
	g := boot(t, img, configdrive.Data{
		MetaData: raw(t, map[string]any{"uuid": "5f3c1c1e-7f3f-4a55-9c4d-0b0d0a3f9c12", "hostname": "lab-two.example.org", "public_keys": map[string]string{"k": public}}),
		NetworkData: raw(t, map[string]any{
			"links":    []any{map[string]any{"id": "l0", "type": "phy", "ethernet_mac_address": mac}},
			"networks": []any{map[string]any{"id": "n0", "link": "l0", "type": "ipv4", "ip_address": "10.0.2.15", "netmask": "255.255.255.0", "routes": []any{}}},
			"services": []any{},
		}),
	}, args...)
	c := g.login(signer)
	require.Equal(t, "lab-two", g.run(c, "hostname"))
	require.Equal(t, "2", g.run(c, "nproc"))
	require.Contains(t, g.run(c, "cat /etc/systemd/network/10-cloud-init-*.network"), "Address=10.0.2.15/24")
	require.NotContains(t, g.run(c, "ip -4 address show"), "dynamic", "DHCP only where the config drive says nothing of networks")
	g.powerButton(c)
}

// TestImageGeneric has the devices that the cloud kernel does not drive.
func TestImageGeneric(t *testing.T) {
	img := build(t, osimage.Options{Kernel: osimage.KernelGeneric})
	signer, public := keys(t)
	g := boot(t, img, configdrive.Data{
		MetaData: raw(t, map[string]any{"uuid": "5f3c1c1e-7f3f-4a55-9c4d-0b0d0a3f9c13", "hostname": "lab-three", "public_keys": map[string]string{"k": public}}),
	}, "-device", "e1000e,netdev=n0,romfile=", "-device", "ide-hd,drive=disk,bus=ide.0,bootindex=1", "-device", "ide-cd,drive=config,bus=ide.1")
	c := g.login(signer)
	require.Equal(t, "lab-three", g.run(c, "hostname"))
	g.powerButton(c)
}
