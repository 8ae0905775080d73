//go:build cgo && libvirt_dlopen

package serve_test

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/lab/osimage"
)

// Where the guest and the host's bridge are, in a network of the test's own.
const (
	bridgeAddress = "192.0.2.1/24"
	guestAddress  = "192.0.2.2"
	guestMAC      = "52:54:00:00:00:31"
)

// TestGuestIsLoggedInTo launches Debian from its image on a real libvirtd, with emulated processors. Address, host name and
// key are the config drive's.
func TestGuestIsLoggedInTo(t *testing.T) {
	image := debian(t)
	d := libvirttest.Start(t)
	inside := enter(t, d)
	out, err := exec.Command("nsenter", append(inside, "ip", "addr", "add", bridgeAddress, "dev", "br0")...).CombinedOutput()
	require.NoError(t, err, string(out))
	cfg := devConfig(t.TempDir())
	cfg.Drivers, cfg.Images.FilePaths = []string{"fake-hardware", "libvirt"}, []string{filepath.Dir(image)}
	c := caller{t, runWith(t, cfg)}
	c.makeHost("h", d)
	c.do(201, "POST", "nodes", `{"name": "g", "driver": "libvirt", "parent_node": "`+c.uuid("h")+`", "properties": {"cpus": 1, "memory_mb": 512, "local_gb": 1}}`)
	c.do(201, "POST", "ports", `{"node_uuid": "`+c.uuid("g")+`", "address": "`+guestMAC+`"}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}} {
		c.do(202, "PUT", "nodes/g/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until("g", map[string]any{"provision_state": verb[1]})
	}
	c.do(200, "PATCH", "nodes/g", `[{"op": "add", "path": "/instance_info", "value": {"image_source": "file://`+image+`", "image_os_hash_algo": "sha512", "image_os_hash_value": "`+sum(t, image)+`"}}]`)
	key, public := sshKey(t)
	order, err := json.Marshal(map[string]any{"target": "active", "configdrive": map[string]any{
		"meta_data": map[string]any{"uuid": "instance-of-g", "hostname": "out-of-the-drive", "public_keys": map[string]string{"test": public}},
		"network_data": map[string]any{
			"links":    []any{map[string]any{"id": "l", "type": "phy", "ethernet_mac_address": guestMAC}},
			"networks": []any{map[string]any{"id": "n", "link": "l", "type": "ipv4", "ip_address": guestAddress, "netmask": "255.255.255.0", "network_id": "n"}},
			"services": []any{},
		},
	}})
	require.NoError(t, err)
	c.do(202, "PUT", "nodes/g/states/provision", string(order))
	inGuest := func(command string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "nsenter", append(inside, "ssh", "-i", key, "-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "StrictHostKeyChecking=no",
			"-o", "UserKnownHostsFile=/dev/null", "debian@"+guestAddress, command)...).Output()
		return string(out), err
	}
	said := ""
	require.Eventually(t, func() (in bool) {
		said, err = inGuest("hostname; systemd-detect-virt")
		return err == nil
	}, 5*time.Minute, time.Second)
	require.Equal(t, []string{"out-of-the-drive", "qemu"}, strings.Fields(said))
	c.until("g", map[string]any{"provision_state": "active", "power_state": "power on"})
	c.plugs(d, inGuest)
}

// plugs has a disk come to a guest that runs, and go again: the system lets go of it, and the answer waits for that.
func (c caller) plugs(d *libvirttest.Daemon, inGuest func(command string) (string, error)) {
	c.Helper()
	conn, err := libvirt.NewConnect(d.URI())
	require.NoError(c, err)
	defer conn.Close() //nolint:errcheck // the test's own
	pool, err := conn.LookupStoragePoolByName("default")
	require.NoError(c, err)
	defer pool.Free() //nolint:errcheck // the test's own
	vol, err := pool.StorageVolCreateXML("<volume><name>data</name><capacity unit='MiB'>7</capacity><target><format type='raw'/></target></volume>", 0)
	require.NoError(c, err)
	require.NoError(c, vol.Free())
	const sevenMiB = "7340032"
	sizes := func() string {
		said, err := inGuest("cat /sys/block/vd*/size | while read n; do echo $((n*512)); done")
		require.NoError(c, err)
		return said
	}
	require.NotContains(c, sizes(), sevenMiB)
	c.do(200, "POST", "nodes/g/vendor_passthru?method=attach_disk", `{"volume": "data"}`)
	require.Eventually(c, func() bool { return strings.Contains(sizes(), sevenMiB) }, 30*time.Second, 500*time.Millisecond, "the guest sees the disk")
	c.do(200, "POST", "nodes/g/vendor_passthru?method=detach_disk", `{"volume": "data"}`)
	require.NotContains(c, sizes(), sevenMiB, "it has let go of it by then")
}

// debian builds the lab's image unless it is in the cache.
func debian(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"mmdebstrap", "ssh", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil || os.Getuid() != 0 {
			t.Skip("needs root and ", program, " (.ci/prerequisites)")
		}
	}
	options := osimage.Options{CacheDir: cacheFolder(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	require.NoError(t, osimage.Build(t.Context(), options))
	return options.Image().QCow2
}

// cacheFolder keeps what takes long to build, from one run of the tests to the next.
func cacheFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("INGOT_TEST_CACHE"); dir != "" {
		return dir
	}
	user, err := os.UserCacheDir()
	require.NoError(t, err, "set INGOT_TEST_CACHE")
	return filepath.Join(user, "ingot")
}

// enter are nsenter's arguments for a daemon's network.
func enter(t *testing.T, d *libvirttest.Daemon) []string {
	t.Helper()
	out, err := exec.Command("pgrep", "-x", "-f", "libvirtd --config /etc/libvirt/libvirtd.conf --pid-file "+d.Dir+"/libvirtd.pid").Output()
	require.NoError(t, err, "the daemon's process")
	return []string{"--target", strings.TrimSpace(string(out)), "--net"}
}

// sshKey makes a key, and gives the file of its private half and the line of its public one.
func sshKey(t *testing.T) (file, line string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	file = filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	shown, err := ssh.NewPublicKey(public)
	require.NoError(t, err)
	return file, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown)))
}

// sum is a file's SHA-512.
func sum(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	h := sha512.New()
	_, err = io.Copy(h, f)
	require.NoError(t, err)
	return hex.EncodeToString(h.Sum(nil))
}
