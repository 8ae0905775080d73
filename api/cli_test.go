package api_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// commandLine is Debian's command line client of Ironic, ready for commands against a service.
type commandLine struct {
	url string
	in  io.Writer
	out *bufio.Scanner
}

// python is Debian's own, which has its packages: another one may come first in PATH.
const python = "/usr/bin/python3"

// baremetal starts the client, or skips the test where it is not installed.
func (s *service) baremetal(t *testing.T) *commandLine {
	t.Helper()
	if err := exec.CommandContext(t.Context(), python, "-c", "import ironicclient").Run(); err != nil {
		t.Skip("needs Debian's package python3-ironicclient")
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/baremetal.py")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir()) // it remembers the versions of servers
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	c := &commandLine{url: s.URL, in: in, out: bufio.NewScanner(out)}
	c.out.Buffer(nil, 1<<24)
	return c
}

// run gives what a command printed, or its complaint and false.
func (c *commandLine) run(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	line, err := json.Marshal(append([]string{"--os-auth-type", "none", "--os-endpoint", c.url}, args...))
	require.NoError(t, err)
	_, err = c.in.Write(append(line, '\n'))
	require.NoError(t, err)
	require.True(t, c.out.Scan(), "the client ended: %v", c.out.Err())
	var said struct {
		Code     any
		Out, Err string
	}
	require.NoError(t, json.Unmarshal(c.out.Bytes(), &said))
	if said.Code != 0.0 {
		return said.Err, false
	}
	return said.Out, true
}

// shown runs a command and decodes what it prints.
func (c *commandLine) shown(t *testing.T, into any, args ...string) {
	t.Helper()
	out, ok := c.run(t, append(args, "-f", "json")...)
	require.True(t, ok, "baremetal %v: %s", args, out)
	reflect.ValueOf(into).Elem().SetZero()
	require.NoError(t, json.Unmarshal([]byte(out), into), "baremetal %v: %s", args, out)
}

// done runs a command that prints nothing that matters.
func (c *commandLine) done(t *testing.T, args ...string) {
	t.Helper()
	out, ok := c.run(t, args...)
	require.True(t, ok, "baremetal %v: %s", args, out)
}

// TestCommandLineClient goes with Debian's client through what an operator does with a node.
func TestCommandLineClient(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.baremetal(t)
	type object = map[string]any
	var node object
	c.shown(t, &node, "node", "create", "--driver", "ipmi", "--name", "n1", "--driver-info", "ipmi_address=192.0.2.1",
		"--driver-info", "ipmi_password=secret", "--property", "cpu_arch=x86_64", "--resource-class", "big")
	require.Equal(t, "enroll", node["provision_state"])
	require.Equal(t, object{"ipmi_address": "192.0.2.1", "ipmi_password": "******"}, node["driver_info"])
	require.Equal(t, "ipmitool", node["power_interface"])
	uuid, _ := node["uuid"].(string)

	var list []object
	c.shown(t, &list, "node", "list")
	require.Len(t, list, 1)
	require.Equal(t, "n1", list[0]["Name"])
	c.shown(t, &list, "node", "list", "--long")
	require.Equal(t, "ipmi", list[0]["Driver"])
	c.shown(t, &list, "node", "list", "--fields", "uuid", "created_at", "resource_class")
	require.Equal(t, "big", list[0]["Resource Class"])

	c.done(t, "node", "set", "n1", "--instance-info", "image_source=http://192.0.2.9/a.qcow2", "--extra", "rack=seven", "--description", "left")
	c.done(t, "node", "unset", "n1", "--property", "cpu_arch", "--description")
	c.shown(t, &node, "node", "show", "n1")
	require.Equal(t, object{"rack": "seven"}, node["extra"])
	require.Equal(t, object{}, node["properties"])
	require.Nil(t, node["description"])
	require.Equal(t, "http://192.0.2.9/a.qcow2", node["instance_info"].(object)["image_source"])

	var port object
	c.shown(t, &port, "port", "create", "--node", uuid, "52:54:00:AA:00:01")
	require.Equal(t, "52:54:00:aa:00:01", port["address"])
	c.shown(t, &list, "port", "list", "--node", "n1")
	require.Len(t, list, 1)
	complaint, ok := c.run(t, "port", "create", "--node", uuid, "52:54:00:aa:00:01")
	require.False(t, ok)
	require.Contains(t, complaint, uuid)
	require.Contains(t, complaint, "already exists")

	c.done(t, "node", "maintenance", "set", "n1", "--reason", "cables")
	c.shown(t, &node, "node", "show", "n1", "--fields", "maintenance", "maintenance_reason")
	require.Equal(t, object{"maintenance": true, "maintenance_reason": "cables"}, node)
	c.done(t, "node", "maintenance", "unset", "n1")

	c.done(t, "node", "manage", "n1", "--wait", "10")
	c.done(t, "node", "inspect", "n1", "--wait", "10")
	c.done(t, "node", "provide", "n1", "--wait", "10")
	c.done(t, "node", "deploy", "n1", "--config-drive", `{"meta_data": {"hostname": "h1"}}`, "--wait", "10")
	c.shown(t, &node, "node", "show", "n1", "--fields", "provision_state")
	require.Equal(t, "active", node["provision_state"])
	drive := s.Conductor.asked[len(s.Conductor.asked)-1].ConfigDrive
	require.Equal(t, object{"meta_data": object{"hostname": "h1"}}, drive)

	c.done(t, "node", "power", "on", "n1")
	c.done(t, "node", "reboot", "n1", "--soft")
	require.Equal(t, []ingot.PowerTarget{ingot.TargetPowerOn, ingot.TargetSoftReboot}, s.Conductor.power)
	c.done(t, "node", "boot", "device", "set", "n1", "pxe", "--persistent")
	var device object
	c.shown(t, &device, "node", "boot", "device", "show", "n1")
	require.Equal(t, object{"boot_device": "pxe", "persistent": true}, device)
	c.shown(t, &device, "node", "boot", "device", "show", "n1", "--supported")
	require.Equal(t, "pxe, disk", device["supported_boot_devices"])
	c.done(t, "node", "inject", "nmi", "n1")
	require.Equal(t, 1, s.Conductor.nmi)
	c.shown(t, &list, "node", "validate", "n1")
	require.Len(t, list, len(ingot.InterfaceKinds()))
	c.shown(t, &list, "node", "history", "list", "n1")
	require.Len(t, list, 4)

	c.shown(t, &list, "driver", "list")
	require.Len(t, list, 2)
	c.shown(t, &list, "driver", "property", "list", "ipmi")
	require.Equal(t, "ipmi_address", list[0]["Property"])
	c.shown(t, &list, "conductor", "list")
	require.Len(t, list, 3)

	c.done(t, "node", "rebuild", "n1", "--wait", "10")
	c.done(t, "node", "undeploy", "n1", "--wait", "10")
	complaint, ok = c.run(t, "node", "abort", "n1")
	require.False(t, ok)
	require.Contains(t, complaint, `The requested action "abort" can not be performed on node "`+uuid+`" while it is in state "available".`)
	c.shown(t, &list, "port", "list")
	portUUID, _ := list[0]["UUID"].(string)
	c.done(t, "port", "delete", portUUID)
	c.done(t, "node", "delete", "n1")
	c.shown(t, &list, "node", "list")
	require.Empty(t, list)
}
