package ipmi_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// simulator is OpenIPMI's ipmi_sim: a BMC that shares no code with Ingot or go-ipmi. Its machine is a folder of files.
type simulator struct {
	dir     string
	port    int
	process *os.Process
}

// The simulator knows cipher suite 3 only, does not answer Get Channel Cipher Suites, and of the boot flags keeps the
// device but neither the valid bit nor persistence nor EFI.
const simulatorLAN = `name "node0"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 %d
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "%s/chassis.sh 0x20"
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "admin" "secret" admin 10 none md2 md5 straight
  user 3 true "watcher" "look" user 10 none md2 md5 straight
`

// A full sensor record: number 1, temperature, threshold class, unsigned, degrees C, M=1, "CPU Temp"; and its reading.
const simulatorCommands = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
sensor_add 0x20 0 1 0x01 0x01
sensor_set_event_support 0x20 0 1 enable scanning per-state 000111111111111 000111111111111 000111111111111 000111111111111
sensor_set_value 0x20 0 1 42 0
main_sdr_add 0x20 0x00 0x00 0x51 0x01 0x33 0x20 0x00 0x01 0x03 0x01 0x7f 0x68 0x01 0x01 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x01 0x00 0x00 0x01 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0xff 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0xc8 0x43 0x50 0x55 0x20 0x54 0x65 0x6d 0x70
mc_enable 0x20
`

const simulatorChassis = `#!/bin/sh
cd %q; shift; op=$1; shift
case $op in
get) for p; do if [ -f "$p" ]; then echo "$p:$(cat "$p")"; elif [ "$p" = boot ]; then echo boot:default; else echo "$p:0"; fi; done;;
set) while [ $# -gt 0 ]; do echo "$2" > "$1"; echo "$1 $2" >> log; [ "$1" = shutdown ] && echo 0 > power; shift 2; done;;
esac
`

func startSimulator(t testing.TB) *simulator {
	t.Helper()
	program, err := exec.LookPath("ipmi_sim")
	if err != nil {
		t.Skip("install openipmi to run the tests against ipmi_sim")
	}
	s := &simulator{dir: t.TempDir(), port: freePort(t)}
	s.write(t, "lan.conf", fmt.Sprintf(simulatorLAN, s.port, s.dir))
	s.write(t, "emu", simulatorCommands)
	s.write(t, "chassis.sh", fmt.Sprintf(simulatorChassis, s.dir))
	require.NoError(t, os.Chmod(filepath.Join(s.dir, "chassis.sh"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "state"), 0o755))
	var said bytes.Buffer
	run := exec.Command(program, "-n", "-p", "-c", filepath.Join(s.dir, "lan.conf"), "-f", filepath.Join(s.dir, "emu"), "-s", filepath.Join(s.dir, "state"))
	run.Stdout, run.Stderr = &said, &said
	require.NoError(t, run.Start())
	s.process = run.Process
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		if t.Failed() {
			t.Logf("ipmi_sim said: %s", said.String())
		}
	})
	require.Eventually(t, func() bool { _, err := s.tool("-P", "secret", "mc", "info"); return err == nil }, 10*time.Second, 50*time.Millisecond)
	return s
}

// freePort is a UDP port that was free a moment ago: ipmi_sim cannot choose one itself.
func freePort(t testing.TB) int {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

func (s *simulator) write(t testing.TB, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644))
}

// read is the text of one of the machine's files; "" when there is none.
func (s *simulator) read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return strings.TrimSpace(string(text))
}

// tool runs ipmitool as admin.
func (s *simulator) tool(arguments ...string) (string, error) {
	said, err := exec.Command("ipmitool", append([]string{"-I", "lanplus", "-C", "3", "-N", "1", "-R", "1", "-H", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "admin"}, arguments...)...).CombinedOutput()
	return string(said), err
}

func (s *simulator) info() map[string]any {
	return map[string]any{"ipmi_address": "127.0.0.1", "ipmi_port": s.port, "ipmi_username": "admin", "ipmi_password": "secret"}
}
