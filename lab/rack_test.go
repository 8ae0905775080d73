package lab_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// needRack skips a test where no rack can be made.
func needRack(t *testing.T, programs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: a rack is made of network namespaces and taps")
	}
	for _, name := range append([]string{"ip", "qemu-system-x86_64"}, programs...) {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("needs ", name, "; make prerequisites installs it")
		}
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("needs /dev/net/tun")
	}
}

// rackName is another one in every process and test.
func rackName(t *testing.T) string {
	t.Helper()
	sum := fnv.New32()
	_, _ = sum.Write([]byte(t.Name()))
	return fmt.Sprintf("t%d-%x", os.Getpid(), sum.Sum32())
}

// runs opens and runs a rack until the test ends, when nothing of it may be left.
func runs(t *testing.T, r *lab.Rack) *lab.Rack {
	t.Helper()
	if r.Log == nil {
		r.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	require.NoError(t, r.Open(t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		requireNothingLeft(t, r.Name)
	})
	return r
}

// requireNothingLeft looks for what a rack leaves when it is not taken down well.
func requireNothingLeft(t *testing.T, name string) {
	t.Helper()
	require.NoFileExists(t, "/run/netns/ingot-"+name)
	require.NoDirExists(t, "/run/ingot-lab/"+name)
	out, err := exec.Command("pgrep", "-f", "ingot-lab/"+name+"/").CombinedOutput()
	require.Error(t, err, "processes are left: %s", out)
}

// ipmitool runs it inside a rack's namespace, where the BMCs are.
func ipmitool(t *testing.T, r *lab.Rack, args ...string) string {
	t.Helper()
	info, err := r.DriverInfo("", "ipmi")
	require.NoError(t, err)
	line := append([]string{
		"netns", "exec", "ingot-" + r.Name, "ipmitool", "-I", "lanplus", "-C", "17", "-H", info["ipmi_address"].(string), "-p", fmt.Sprint(info["ipmi_port"]),
		"-U", lab.BMCUser, "-P", lab.BMCPassword,
	}, args...)
	out, err := exec.CommandContext(t.Context(), "ip", line...).CombinedOutput()
	require.NoError(t, err, "ipmitool %v: %s", args, out)
	return string(out)
}

// echoSector is a boot sector that says ~ on the serial port, which no firmware does, echoes what is typed, and resets the machine on r.
func echoSector() []byte {
	code := []byte{
		0xfa,             // cli: SeaBIOS's timer would take from the serial port what it has for a keyboard
		0xba, 0xf8, 0x03, // mov dx, 3f8h
		0xb0, '~', 0xee, // mov al, '~'; out dx, al
		0xba, 0xfd, 0x03, // again: mov dx, 3fdh
		0xec, 0xa8, 0x01, // in al, dx; test al, 1
		0x74, 0xf8, // jz again
		0xba, 0xf8, 0x03, 0xec, // mov dx, 3f8h; in al, dx
		0x3c, 'r', // cmp al, 'r'
		0x74, 0x03, // je reset
		0xee,       // out dx, al
		0xeb, 0xed, // jmp again
		0xb0, 0xfe, 0xe6, 0x64, // reset: mov al, feh; out 64h, al
		0xf4, 0xeb, 0xfd, // hlt; jmp there
	}
	sector := make([]byte, 512)
	copy(sector, code)
	sector[510], sector[511] = 0x55, 0xaa
	return sector
}

// hears reads from a console until it said text.
func hears(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(2*time.Minute)))
	var all bytes.Buffer
	piece := make([]byte, 256)
	for !strings.Contains(all.String(), text) {
		n, err := conn.Read(piece)
		require.NoError(t, err, "waiting for %q after %q", text, all.String())
		all.Write(piece[:n])
	}
}

// TestMachine drives one machine with ipmitool through power, console, a reboot of its own, and off.
func TestMachine(t *testing.T) {
	t.Parallel()
	needRack(t, "ipmitool")
	r := runs(t, &lab.Rack{Name: rackName(t), Dir: t.TempDir(), Nodes: []lab.NodeSpec{{Firmware: ingot.ModeBIOS, DiskMiB: 8, MemoryMiB: 128}}})
	disk, err := r.Disk("")
	require.NoError(t, err)
	file, err := os.OpenFile(disk, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.Write(echoSector())
	require.NoError(t, err)
	require.NoError(t, file.Close())
	record, err := lab.ReadRecord(r.Name)
	require.NoError(t, err)
	require.False(t, record.On("node-0"))
	require.Contains(t, ipmitool(t, r, "power", "status"), "Chassis Power is off")
	console, err := net.Dial("unix", record.Nodes[0].Console)
	require.NoError(t, err)
	defer console.Close()

	ipmitool(t, r, "power", "on")
	require.Contains(t, ipmitool(t, r, "power", "status"), "Chassis Power is on")
	hears(t, console, "~")
	_, err = console.Write([]byte("typed"))
	require.NoError(t, err)
	hears(t, console, "typed")
	record, err = lab.ReadRecord(r.Name)
	require.NoError(t, err)
	require.True(t, record.On("node-0"))

	ipmitool(t, r, "chassis", "bootdev", "disk", "options=persistent")
	_, err = console.Write([]byte("r")) // the guest resets its machine
	require.NoError(t, err)
	hears(t, console, "~")
	journal, err := r.Journal("")
	require.NoError(t, err)
	require.Len(t, journal.Find(vbmc.ProtocolMachine, vbmc.VerbStart), 1)
	self := journal.Find(vbmc.ProtocolMachine, vbmc.VerbSelfBoot)
	require.Len(t, self, 1)
	require.Equal(t, "disk persistent", self[0].Argument)
	logs, err := r.SerialLogs("")
	require.NoError(t, err)
	require.Len(t, logs, 2, "one for each boot")
	first, err := os.ReadFile(logs[0])
	require.NoError(t, err)
	require.Contains(t, string(first), "~typed")

	ipmitool(t, r, "power", "diag")
	ipmitool(t, r, "power", "reset")
	hears(t, console, "~")
	ipmitool(t, r, "power", "off")
	require.Contains(t, ipmitool(t, r, "power", "status"), "Chassis Power is off")
	require.Len(t, journal.Find(vbmc.ProtocolMachine, vbmc.VerbNMI), 1)
}

// TestDownClearsAKilledRack kills a rack with a machine that runs, and somebody logged in.
func TestDownClearsAKilledRack(t *testing.T) {
	t.Parallel()
	needRack(t, "ipmitool", "pgrep")
	name, dir := rackName(t), filepath.Join(t.TempDir(), "rack")
	rack := exec.Command(os.Args[0], "rack", name, dir)
	rack.Stderr = t.Output()
	require.NoError(t, rack.Start())
	t.Cleanup(func() { _ = rack.Process.Kill() })
	var record *lab.Record
	require.Eventually(t, func() bool {
		var err error
		record, err = lab.ReadRecord(name)
		return err == nil && len(record.Nodes) == 1
	}, time.Minute, 20*time.Millisecond)
	on := exec.Command("ip", "netns", "exec", record.Namespace, "ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", "6230",
		"-U", lab.BMCUser, "-P", lab.BMCPassword, "power", "on")
	out, err := on.CombinedOutput()
	require.NoError(t, err, string(out))
	guest := exec.Command("ip", "netns", "exec", record.Namespace, "sleep", "600")
	require.NoError(t, guest.Start())
	require.ErrorContains(t, (&lab.Rack{Name: name, Dir: dir, Nodes: []lab.NodeSpec{{}}}).Open(t.Context()), "runs already")

	record, err = lab.ReadRecord(name)
	require.NoError(t, err)
	require.True(t, record.On("node-0"))
	require.NoError(t, rack.Process.Kill())
	_ = rack.Wait()
	require.DirExists(t, dir)
	require.NoError(t, lab.Down(t.Context(), name, slog.New(slog.DiscardHandler)))
	require.Error(t, guest.Wait(), "it was killed")
	require.False(t, record.On("node-0"))
	require.NoDirExists(t, dir)
	requireNothingLeft(t, name)
	require.NoError(t, lab.Down(t.Context(), name, slog.New(slog.DiscardHandler)), "again")
}

func TestDownEndsARackThatRuns(t *testing.T) {
	t.Parallel()
	needRack(t, "pgrep")
	name, dir := rackName(t), filepath.Join(t.TempDir(), "rack")
	rack := exec.Command(os.Args[0], "rack", name, dir)
	rack.Stderr = t.Output()
	require.NoError(t, rack.Start())
	ended := make(chan error, 1)
	go func() { ended <- rack.Wait() }()
	require.Eventually(t, func() bool {
		record, err := lab.ReadRecord(name)
		return err == nil && len(record.Nodes) == 1
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, lab.Down(t.Context(), name, slog.New(slog.DiscardHandler)))
	require.NoError(t, <-ended, "it ended by itself, in good order")
	require.NoDirExists(t, dir)
	requireNothingLeft(t, name)
}

func TestRefusedRacks(t *testing.T) {
	t.Parallel()
	needRack(t)
	node := lab.NodeSpec{Firmware: ingot.ModeBIOS}
	cases := map[string]struct {
		rack lab.Rack
		says string
	}{
		"no nodes":           {lab.Rack{}, "without nodes"},
		"a name of a path":   {lab.Rack{Name: "../x", Nodes: []lab.NodeSpec{node}}, "small letters"},
		"no folder":          {lab.Rack{Dir: "relative", Nodes: []lab.NodeSpec{node}}, "absolute path"},
		"an unknown card":    {lab.Rack{Nodes: []lab.NodeSpec{{NIC: "ne2000"}}}, "ne2000"},
		"an unknown disk":    {lab.Rack{Nodes: []lab.NodeSpec{{Disk: "floppy"}}}, "floppy"},
		"unknown firmware":   {lab.Rack{Nodes: []lab.NodeSpec{{Firmware: "coreboot"}}}, "coreboot"},
		"a multicast MAC":    {lab.Rack{Nodes: []lab.NodeSpec{{MAC: "01:00:5e:00:00:01"}}}, "01:00:5e"},
		"two of one address": {lab.Rack{Nodes: []lab.NodeSpec{{MAC: "52:54:00:00:00:01"}, {MAC: "52:54:00:00:00:01"}}}, "both have MAC address"},
		"two of one name":    {lab.Rack{Nodes: []lab.NodeSpec{{Name: "a"}, {Name: "a"}}}, "both have name"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.rack.Name == "" {
				c.rack.Name = rackName(t)
			}
			if c.rack.Dir == "" {
				c.rack.Dir = t.TempDir()
			}
			require.ErrorContains(t, c.rack.Open(t.Context()), c.says)
			requireNothingLeft(t, c.rack.Name)
		})
	}
}

func TestServiceThatDies(t *testing.T) {
	t.Parallel()
	needRack(t, "pgrep")
	r := &lab.Rack{
		Name: rackName(t), Dir: t.TempDir(), Nodes: []lab.NodeSpec{{Firmware: ingot.ModeBIOS, DiskMiB: 8}},
		Ingot: &lab.Service{Program: []string{"/bin/sh", "-c", "echo no such thing >&2; exit 3"}, Listen: "127.0.0.1:0", Ramdisk: t.TempDir()},
	}
	require.NoError(t, r.Open(t.Context()))
	require.ErrorContains(t, r.Run(t.Context()), "the service ended by itself: exit status 3")
	said, err := os.ReadFile(r.ServiceLog())
	require.NoError(t, err)
	require.Equal(t, "no such thing\n", string(said))
	requireNothingLeft(t, r.Name)
}

// TestServiceOutlivesItsProcess kills the service and starts it again: the API's listener stays, and a client that
// called meanwhile is answered.
func TestServiceOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	needRack(t)
	r := runs(t, &lab.Rack{
		Name: rackName(t), Dir: t.TempDir(), Nodes: []lab.NodeSpec{{Firmware: ingot.ModeBIOS, DiskMiB: 8}},
		Ingot: &lab.Service{Program: []string{os.Args[0]}, Listen: "127.0.0.1:0", Ramdisk: t.TempDir()},
	})
	api := &client.Client{BaseURL: r.APIURL()}
	require.Eventually(t, func() bool { return api.Ready(t.Context()) == nil }, time.Minute, 20*time.Millisecond)
	_, err := api.CreateNode(t.Context(), map[string]any{"name": "kept", "driver": "ipmi"})
	require.NoError(t, err)
	require.NoError(t, r.KillService("lab"))
	answered := make(chan error, 1)
	go func() {
		_, err := api.Node(t.Context(), "kept")
		answered <- err
	}()
	require.NoError(t, r.StartService("lab"))
	require.NoError(t, <-answered)
	networks, err := api.Networks(t.Context())
	require.NoError(t, err)
	require.Equal(t, ingot.DHCPFull, networks[0].DHCP)
}
