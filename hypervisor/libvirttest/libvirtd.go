//go:build cgo && libvirt_dlopen

package libvirttest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"
)

// Daemon is a libvirtd of the test's own: its files, sockets and network are nobody else's.
type Daemon struct {
	Dir    string // all its files; pool is the folder of pool default
	cmd    *exec.Cmd
	gone   chan error // holds what cmd.Wait gave, from then on
	socket string
	addr   string // for guests that move to it
	args   []string
}

// Start starts a libvirtd in new mount, network, host name and process namespaces, which end with it; so do its
// machines. Tests that cannot have one are left out.
func Start(t testing.TB) *Daemon {
	t.Helper()
	return start(t, "")
}

// start starts one with more in its configuration, and more arguments.
func start(t testing.TB, more string, args ...string) *Daemon {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root for namespaces")
	}
	if _, err := exec.LookPath("libvirtd"); err != nil {
		t.Skip("needs libvirtd (.ci/prerequisites)")
	}
	id := uuid.New()
	d := &Daemon{Dir: t.TempDir(), addr: fmt.Sprintf("10.%d.%d.%d", id[0], id[1], 1+id[2]%250), args: args}
	d.socket = filepath.Join(d.Dir, "run/libvirt-sock")
	for _, sub := range []string{"etc/qemu", "etc/nwfilter", "etc/pki", "run", "lib/images", "cache", "log", "pool"} {
		require.NoError(t, os.MkdirAll(filepath.Join(d.Dir, sub), 0o755))
	}
	d.Write(t, "etc/libvirtd.conf", fmt.Sprintf("auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\nunix_sock_dir = %q\nhost_uuid = %q\nlog_outputs = \"2:file:%s/libvirtd.log\"\n",
		filepath.Join(d.Dir, "run"), id, d.Dir)+more)
	d.Write(t, "etc/qemu.conf", "security_driver = \"none\"\nuser = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\ncgroup_controllers = [ ]\nnamespaces = [ ]\nstdio_handler = \"file\"\nswtpm_user = \"root\"\nswtpm_group = \"root\"\nmigrate_tls_x509_cert_dir = \"/etc/libvirt/pki\"\nmigration_host = \""+d.addr+"\"\nmigration_address = \""+d.addr+"\"\n")
	filters, err := filepath.Glob("/usr/share/libvirt/nwfilter/*.xml")
	require.NoError(t, err)
	for _, file := range filters {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		d.Write(t, "etc/nwfilter/"+filepath.Base(file), string(text))
	}
	d.run(t)
	d.makePool(t, "default", filepath.Join(d.Dir, "pool"))
	return d
}

// Write writes a file below its folder.
func (d *Daemon) Write(t testing.TB, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(d.Dir, name), []byte(text), 0o600))
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
mkdir -p /run/libvirt; mount -t tmpfs tmpfs /run/libvirt; mount -t tmpfs tmpfs /var/lock/ # where consoles are locked
mount -t sysfs sysfs /sys # which shows the interfaces of this namespace
ip link set lo up
ip link add br0 type bridge; ip link set br0 up
hostname "hypervisor-$2"
ip addr add "$2/8" dev br0
while :; do
  libvirtd --config /etc/libvirt/libvirtd.conf --pid-file "$1/libvirtd.pid" "${@:3}" &
  wait $! || : # and for the machines, whose parent process 1 becomes
  [ -e "$1/answered" ] || exit 1
done`

// run starts the daemon and waits until it answers.
func (d *Daemon) run(t testing.TB) {
	t.Helper()
	d.cmd = exec.Command("unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", inside, "bash", d.Dir, d.addr)
	d.cmd.Args = append(d.cmd.Args, d.args...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.Create(filepath.Join(d.Dir, "output"))
	require.NoError(t, err)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	require.NoError(t, d.cmd.Start())
	gone := make(chan error, 1)
	d.gone = gone
	go func() { gone <- d.cmd.Wait(); log.Close() }()
	t.Cleanup(d.Kill)
	select {
	case err := <-gone:
		gone <- err
	case err := <-d.answers():
		if err == nil {
			d.Write(t, "answered", "") // from now on another one starts when it ends
			return
		}
	case <-time.After(time.Minute):
	}
	output, _ := os.ReadFile(filepath.Join(d.Dir, "output"))
	said, _ := os.ReadFile(filepath.Join(d.Dir, "libvirtd.log"))
	require.FailNow(t, "libvirtd does not answer", "%s\n%s", output, said)
}

// Kill ends the daemon, its machines and its network, as when a machine loses its power.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill() // unshare takes everything in its namespaces with it
	d.gone <- <-d.gone
}

// Restart starts a daemon that was killed again, on the files that it left behind.
func (d *Daemon) Restart(t testing.TB) {
	t.Helper()
	_ = os.Remove(filepath.Join(d.Dir, "libvirtd.pid"))
	d.run(t)
	d.makePool(t, "default", filepath.Join(d.Dir, "pool"))
}

// AddPool gives it one more pool, in a folder that other daemons may have too.
func (d *Daemon) AddPool(t testing.TB, name, folder string) {
	t.Helper()
	d.makePool(t, name, folder)
}

// SharedDir is a folder for a pool that daemons share: its files can be read past the page cache, which not every tmpfs does.
func SharedDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if direct(t, dir) {
		return dir
	}
	dir, err := os.MkdirTemp("/var/tmp", "libvirttest-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.True(t, direct(t, dir), "%s has no O_DIRECT either", dir)
	return dir
}

func direct(t testing.TB, dir string) bool {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "direct"), os.O_CREATE|os.O_RDWR|syscall.O_DIRECT, 0o600)
	if err != nil {
		require.ErrorIs(t, err, syscall.EINVAL)
		return false
	}
	require.NoError(t, f.Close())
	require.NoError(t, os.Remove(f.Name()))
	return true
}

// answers asks until a connection is made; a daemon that has no emulator never answers.
func (d *Daemon) answers() <-chan error {
	done := make(chan error, 1)
	go func() {
		for range 600 {
			conn, err := libvirt.NewConnect(d.URI())
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

// URI is how to connect to it.
func (d *Daemon) URI() string { return "qemu+unix:///system?socket=" + d.socket }

// Pause stops the daemon in the middle of whatever it does, or lets it go on.
func (d *Daemon) Pause(t testing.TB, stop bool) {
	t.Helper()
	signal := map[bool]syscall.Signal{true: syscall.SIGSTOP, false: syscall.SIGCONT}[stop]
	require.NoError(t, syscall.Kill(d.process(t), signal))
}

// Crasher finds the daemon's process. What it gives kills that as the kernel does: machines run on, and another daemon
// starts in its place at once. Nothing of it waits, and a second call does nothing.
func (d *Daemon) Crasher(t testing.TB) (crash func()) {
	t.Helper()
	process := d.process(t)
	return sync.OnceFunc(func() { _ = syscall.Kill(process, syscall.SIGKILL) })
}

// Remove removes a file as the daemon sees it.
func (d *Daemon) Remove(t testing.TB, path string) {
	t.Helper()
	run(t, "nsenter", "-t", d.inner(t), "-m", "rm", path)
}

// process is the number of the daemon's process, which may be about to start.
func (d *Daemon) process(t testing.TB) int {
	t.Helper()
	var number int
	require.Eventually(t, func() bool {
		out, err := exec.Command("pgrep", "-P", d.inner(t), "-x", "libvirtd").Output()
		if err == nil {
			_, err = fmt.Sscan(string(out), &number)
		}
		return err == nil
	}, time.Minute, 20*time.Millisecond, "libvirtd's process")
	return number
}

// Emulators counts the processes that run a machine, whatever the daemon knows of them.
func (d *Daemon) Emulators(t testing.TB, machine string) int {
	t.Helper()
	out, err := exec.Command("pgrep", "-f", "-c", "--", "-name guest="+machine).Output()
	var none *exec.ExitError
	if !errors.As(err, &none) { // which it says of none
		require.NoError(t, err)
	}
	count, err := strconv.Atoi(strings.TrimSpace(string(out)))
	require.NoError(t, err)
	return count
}

// makePool gives it a storage pool.
func (d *Daemon) makePool(t testing.TB, name, folder string) {
	t.Helper()
	conn, err := libvirt.NewConnect(d.URI())
	require.NoError(t, err)
	pool, err := conn.StoragePoolCreateXML("<pool type='dir'><name>"+name+"</name><target><path>"+folder+"</path></target></pool>", 0)
	require.NoError(t, err)
	require.NoError(t, pool.Free())
	_, err = conn.Close()
	require.NoError(t, err)
}
