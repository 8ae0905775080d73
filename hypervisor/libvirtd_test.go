//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
)

// daemon is a libvirtd of the test's own: its files, sockets and network are nobody else's.
type daemon struct {
	dir    string
	cmd    *exec.Cmd
	socket string
}

// startDaemon starts a libvirtd in new mount, network, host name and process namespaces, which end with it; so do its
// machines. Tests that cannot have one are left out.
func startDaemon(t *testing.T) *daemon {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root for namespaces")
	}
	if _, err := exec.LookPath("libvirtd"); err != nil {
		t.Skip("needs libvirtd (.ci/prerequisites)")
	}
	d := &daemon{dir: t.TempDir()}
	d.socket = filepath.Join(d.dir, "run/libvirt-sock")
	for _, sub := range []string{"etc/qemu", "etc/nwfilter", "run", "lib/images", "cache", "log", "pool"} {
		require.NoError(t, os.MkdirAll(filepath.Join(d.dir, sub), 0o755))
	}
	d.write(t, "etc/libvirtd.conf", fmt.Sprintf("auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\nunix_sock_dir = %q\nhost_uuid = %q\nlog_outputs = \"2:file:%s/libvirtd.log\"\n",
		filepath.Join(d.dir, "run"), uuid.NewString(), d.dir))
	d.write(t, "etc/qemu.conf", "security_driver = \"none\"\nuser = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = \"file\"\n")
	d.run(t)
	return d
}

func (d *daemon) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600))
}

// inside has the daemon see its own folders in the place of the machine's.
const inside = `set -e
mount --make-rprivate /
for f in etc:/etc/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt; do
  mkdir -p "${f#*:}"; mount --bind "$1/${f%%:*}" "${f#*:}"
done
{ cat /etc/passwd; echo "libvirt-qemu:x:64055:64055::/nonexistent:/bin/false"; } >"$1/passwd"
{ cat /etc/group; echo "libvirt-qemu:x:64055:"; echo "kvm:x:64056:"; } >"$1/group"
mount --bind "$1/passwd" /etc/passwd; mount --bind "$1/group" /etc/group
mkdir -p /run/libvirt; mount -t tmpfs tmpfs /run/libvirt
ip link set lo up
ip link add br0 type bridge; ip link set br0 up
hostname hypervisor-under-test
libvirtd --config /etc/libvirt/libvirtd.conf --pid-file "$1/libvirtd.pid" &
wait $! # and for the machines, whose parent process 1 becomes`

// run starts the daemon and waits until it answers.
func (d *daemon) run(t *testing.T) {
	t.Helper()
	d.cmd = exec.Command("unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", inside, "sh", d.dir)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(d.dir, "output"))
	require.NoError(t, err)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	require.NoError(t, d.cmd.Start())
	gone := make(chan error, 1)
	go func() { gone <- d.cmd.Wait(); log.Close() }()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // unshare takes everything in its namespaces with it
		<-gone
	})
	select {
	case <-gone:
		gone <- nil
	case err := <-d.answers():
		if err == nil {
			return
		}
	case <-time.After(time.Minute):
	}
	output, _ := os.ReadFile(filepath.Join(d.dir, "output"))
	said, _ := os.ReadFile(filepath.Join(d.dir, "libvirtd.log"))
	require.FailNow(t, "libvirtd does not answer", "%s\n%s", output, said)
}

// answers asks until a connection is made; a daemon that has no emulator never answers.
func (d *daemon) answers() <-chan error {
	done := make(chan error, 1)
	go func() {
		for range 600 {
			conn, err := libvirt.NewConnect(d.uri())
			if err == nil {
				_, err = conn.Close()
				done <- err
				return
			}
			<-time.After(100 * time.Millisecond)
		}
		done <- errors.New("no answer")
	}()
	return done
}

func (d *daemon) uri() string { return "qemu+unix:///system?socket=" + d.socket }

// pause stops the daemon in the middle of whatever it does, or lets it go on.
func (d *daemon) pause(t testing.TB, stop bool) {
	t.Helper()
	signal := map[bool]string{true: "-STOP", false: "-CONT"}[stop]
	first, err := exec.Command("pgrep", "-P", fmt.Sprint(d.cmd.Process.Pid)).Output() // the shell
	require.NoError(t, err)
	out, err := exec.Command("pkill", signal, "-P", strings.TrimSpace(string(first)), "libvirtd").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// small is a machine for QEMU's emulation with what a boot order is about.
const small = `<domain type='qemu'><name>ID</name><uuid>ID</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
<devices>
  <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='DISK'/><target dev='vda' bus='virtio'/></disk>
  <disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><readonly/></disk>
  <interface type='bridge'><source bridge='br0'/><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>
</devices></domain>`

func TestLibvirtd(t *testing.T) {
	started(t)
	d := startDaemon(t)
	d.write(t, "pool/empty.raw", string(make([]byte, 1<<20)))
	drivertest.Run(t, drivertest.Suite{
		New: func(t testing.TB) drivertest.Rig {
			return newRig(t, d.uri(), replaceDisk(small, filepath.Join(d.dir, "pool/empty.raw")), d.pause)
		},
		Devices:   []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM},
		Foreign:   []ingot.BootDevice{ingot.BootBIOS, ingot.BootSafe, ingot.BootUEFIHTTP},
		Abilities: []string{"boot devices", "reset", "nmi", "boot modes", "virtual media"},
		Modes:     true, NoLogin: true, NoSystem: true,
	})
}

func replaceDisk(domain, path string) string { return strings.ReplaceAll(domain, "DISK", path) }
