package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// peer drives the agent with Ironic's own client: every method that its drivers call on a whole-disk deploy.
const peer = `
import json, sys
from ironic.conf import CONF
CONF([], project="ironic", default_config_files=[])
from ironic.common import exception
from ironic.drivers.modules import agent_client

given = json.load(sys.stdin)

class Dict(dict):
    def as_dict(self, *a, **k):
        return dict(self)

class Node(Dict):
    uuid = given["uuid"]
    driver_info = {}
    driver_internal_info = {"agent_url": given["url"], "agent_verify_ca": given["ca"], "agent_secret_token": given["token"]}

node = Node(uuid=given["uuid"], properties={}, instance_info={}, driver_internal_info={})
client = agent_client.AgentClient()
out = {}
out["clean_steps"] = client.get_clean_steps(node, [])["command_result"]
out["deploy_steps"] = client.get_deploy_steps(node, [])["command_result"]
node.driver_internal_info["hardware_manager_version"] = out["clean_steps"]["hardware_manager_version"]
step = {"interface": "deploy", "step": "write_image", "args": {"image_info": given["image_info"], "configdrive": None}}
client.execute_deploy_step(step, node, [])
try:
    client.get_partition_uuids(node)
    out["busy"] = "was not busy"
except exception.AgentInProgress as e:
    out["busy"] = str(e)
while True:
    last = client.get_last_command_status(node, "execute_deploy_step")
    if last["command_status"] != "RUNNING":
        break
out["write"] = last
out["uuids"] = client.get_partition_uuids(node)["command_result"]
out["bootloader"] = client.install_bootloader(node, root_uuid=None, target_boot_mode="uefi")
client.execute_clean_step({"interface": "deploy", "step": "nope"}, node, [])
out["unknown"] = client._wait_for_command(node, "execute_clean_step")
out["logs"] = client.collect_system_logs(node)["command_result"]
out["sync"] = client.sync(node)
node.driver_internal_info["agent_secret_token"] = "wrong"
try:
    client.sync(node)
except exception.AgentAPIError as e:
    out["wrong"] = str(e)
node.driver_internal_info["agent_secret_token"] = given["token"]
out["power_off"] = client.power_off(node)
json.dump(out, sys.stdout)
`

func TestIronicsOwnClient(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if exec.Command(python, "-c", "import ironic.drivers.modules.agent_client").Run() != nil {
		t.Skip("python3-ironic is not installed")
	}
	raw, _ := osImage(t)
	c := startConductor(t)
	from, sum := c.serve("os.raw", raw)
	dir, path := machine(t, 4<<30)
	uefi(t, dir)
	a := c.launch(t, dir)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, []byte(a.ca), 0o644))
	input, err := json.Marshal(map[string]any{
		"uuid": nodeUUID, "url": a.url, "ca": ca, "token": token,
		"image_info": map[string]any{
			"id": "os.raw", "urls": []string{from}, "disk_format": "raw", "container_format": nil, "stream_raw_images": true,
			"os_hash_algo": "sha256", "os_hash_value": sum, "node_uuid": nodeUUID,
		},
	})
	require.NoError(t, err)
	cmd := exec.Command(python, "-c", peer)
	cmd.Dir = t.TempDir()
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	var stderr lines
	cmd.Stderr = &stderr
	go func() { _, _ = stdin.Write(input); _ = stdin.Close() }()
	output, err := cmd.Output()
	require.NoError(t, err, "%s", stderr)
	var got struct {
		Busy, Wrong string
		CleanSteps  struct {
			Steps   map[string][]map[string]any `json:"clean_steps"`
			Version map[string]string           `json:"hardware_manager_version"`
		} `json:"clean_steps"`
		DeploySteps struct {
			Steps map[string][]map[string]any `json:"deploy_steps"`
		} `json:"deploy_steps"`
		Write, UUIDs, Bootloader, Unknown, Sync map[string]any
		Logs                                    map[string]string
		PowerOff                                map[string]any `json:"power_off"`
	}
	require.NoError(t, json.Unmarshal(output, &got), string(output))
	require.Contains(t, got.Busy, "Agent is busy: executing command execute_deploy_step")
	require.Contains(t, got.Wrong, "Token invalid")
	require.Len(t, got.CleanSteps.Steps, 1)
	priorities := map[string]float64{}
	for _, steps := range got.CleanSteps.Steps {
		for _, s := range steps {
			require.Equal(t, "deploy", s["interface"])
			require.Equal(t, false, s["reboot_requested"])
			priorities[s["step"].(string)] = s["priority"].(float64)
		}
	}
	require.Equal(t, map[string]float64{"erase_devices": 10, "erase_devices_metadata": 99, "erase_devices_express": 0}, priorities)
	require.NotEmpty(t, got.DeploySteps.Steps)
	require.Equal(t, "SUCCEEDED", got.Write["command_status"], "%v", got.Write)
	require.Equal(t, map[string]any{"root uuid": "0x12345678"}, got.UUIDs)
	require.Equal(t, "SUCCEEDED", got.Bootloader["command_status"])
	require.Equal(t, "FAILED", got.Unknown["command_status"])
	failure, _ := got.Unknown["command_error"].(map[string]any)
	require.Equal(t, "Could not find method: nope", failure["details"])
	require.NotEmpty(t, got.Logs["system_logs"])
	require.Equal(t, "SUCCEEDED", got.Sync["command_status"])
	require.NotEqual(t, "FAILED", got.PowerOff["command_status"])
	holdsImage(t, path, raw)
	state, err := a.Process.Wait()
	require.NoError(t, err)
	require.Zero(t, state.ExitCode())
}

// lines keeps what a program says.
type lines []byte

func (l *lines) Write(p []byte) (int, error) {
	*l = append(*l, p...)
	return len(p), nil
}
