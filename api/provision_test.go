package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestProvision: what an accepted verb looks like, and what the conductor is given.
func TestProvision(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enrol(t, "n1")
	a := s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "manage"}`)
	require.Equal(t, s.URL+"/v1/nodes/n1/states", a.Header.Get("Location"))
	require.Empty(t, a.text)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "clean", "disable_ramdisk": true, "clean_steps": [{"interface": "deploy", "step": "erase_devices_metadata", "args": {"a": 1}, "order": "3"}]}`)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "provide"}`)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "active", "deploy_steps": [{"interface": "deploy", "step": "s", "args": {}, "priority": 50}]}`)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "rescue", "rescue_password": "hunter2"}`)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "unrescue"}`)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision?target=undeploy", nil)
	require.Equal(t, []ingot.ProvisionRequest{
		{Verb: ingot.VerbManage},
		{Verb: ingot.VerbClean, DisableRamdisk: true, CleanSteps: []map[string]any{{"interface": "deploy", "step": "erase_devices_metadata", "args": map[string]any{"a": 1.0}, "order": "3"}}},
		{Verb: ingot.VerbProvide},
		{Verb: ingot.VerbActive, DeploySteps: []map[string]any{{"interface": "deploy", "step": "s", "args": map[string]any{}, "priority": 50.0}}},
		{Verb: ingot.VerbRescue, RescuePassword: "hunter2"},
		{Verb: ingot.VerbUnrescue},
		{Verb: ingot.VerbDeleted},
	}, s.Conductor.asked)
}

// TestProvisionRefusals: each in the state in which only the reason named is wrong.
func TestProvisionRefusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	for _, tc := range []struct {
		state    ingot.State
		body     string
		version  string
		status   int
		sentence string
	}{
		{ingot.Available, `{"target": "active", "configdrive": {"meta_data": {}}}`, "1.55", 400, "Providing a JSON object for configdrive is only supported starting with API version 1.56"},
		{ingot.Available, `{"target": "active", "configdrive": {"vendor_data": {}}}`, "1.58", 400, "Providing vendor_data in configdrive is only supported starting with API version 1.59"},
		{ingot.Available, `{"target": "active", "configdrive": {"meta": {}}}`, "1.115", 400, "Invalid configdrive format: Additional properties are not allowed ('meta' was unexpected)"},
		{ingot.Available, `{"target": "active", "configdrive": {"user_data": 5}}`, "1.115", 400, "Invalid configdrive format: user_data is not of type *"},
		{ingot.Available, `{"target": "active", "configdrive": "{not base64}"}`, "1.115", 400, "Invalid configdrive format: it is neither a JSON, nor a URL, nor a base64 string"},
		{ingot.Available, `{"target": "active", "configdrive": 5}`, "1.115", 400, "Invalid configdrive format: *"},
		{ingot.Active, `{"target": "rebuild", "configdrive": "http://x/y"}`, "1.34", 400, "Adding a config drive is only supported when setting provision state to active"},
		{ingot.Active, `{"target": "deleted", "configdrive": "http://x/y"}`, "1.115", 400, "Adding a config drive is only supported when setting provision state to active, rebuild"},
		{ingot.Available, `{"target": "deploy", "configdrive": "aGVsbG8="}`, "1.115", 400, "Adding a config drive is only supported when setting provision state to active, rebuild"},
		{ingot.Available, `{"target": "deploy", "deploy_steps": [{"interface": "deploy", "step": "s", "args": {}, "priority": 1}]}`, "1.115", 400, `"deploy_steps" is only valid when setting target provision state to active or rebuild`},
		{ingot.Available, `{"target": "deploy"}`, "1.72", 406, "Request not acceptable."},
		{ingot.Available, `{"target": "active", "deploy_steps": [{"interface": "deploy", "step": "s", "args": {}, "priority": 1}]}`, "1.68", 406, "Request not acceptable. *"},
		{ingot.Available, `{"target": "active", "deploy_steps": [{"interface": "deploy", "step": "s", "args": {}}]}`, "1.115", 400, "Invalid deploy_steps: 'priority' is a required property"},
		{ingot.Available, `{"target": "active", "deploy_steps": [{"interface": "deploy", "step": "s", "args": {}, "priority": -1}]}`, "1.115", 400, "Invalid deploy_steps: -1 is not valid for 'priority'"},
		{ingot.Available, `{"target": "active", "deploy_steps": {}}`, "1.115", 400, "Expected types *"},
		{ingot.Available, `{"target": "active", "deploy_steps": ["x"]}`, "1.115", 400, "Invalid deploy_steps: 'x' is not of type 'object'"},
		{ingot.Available, `{"target": "active", "clean_steps": [{"interface": "deploy", "step": "s"}]}`, "1.115", 400, `"clean_steps" is only valid when setting target provision state to clean`},
		{ingot.Available, `{"target": "active", "disable_ramdisk": false}`, "1.115", 400, "disable_ramdisk is supported only with manual cleaning or servicing"},
		{ingot.Available, `{"target": "active", "rescue_password": "x"}`, "1.115", 400, `"rescue_password" is only valid when setting target provision state to rescue`},
		{ingot.Available, `{"target": "active", "runbook": "x"}`, "1.115", 404, "Runbook x could not be found."},
		{ingot.Available, `{"target": "active", "runbook": "x"}`, "1.91", 406, "Request not acceptable."},
		{ingot.Manageable, `{"target": "clean"}`, "1.115", 400, `"clean_steps" is required when setting target provision state to clean`},
		{ingot.Manageable, `{"target": "clean", "clean_steps": [{"interface": "rescue", "step": "s"}]}`, "1.115", 400, "Invalid clean_steps: 'rescue' is not valid for 'interface'"},
		{ingot.Manageable, `{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "s", "execute_on_child_nodes": "x"}]}`, "1.115", 400, "Invalid clean_steps: 'x' is not valid for 'execute_on_child_nodes'"},
		{ingot.Manageable, `{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "s", "execute_on_child_nodes": true, "limit_child_node_execution": ["x"]}]}`, "1.115", 400, "Invalid entry detected for execute_on_child_node parameter in step s."},
		{ingot.Manageable, `{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "s", "limit_child_node_execution": ["` + uuid + `"]}]}`, "1.115", 400, "limit_child_node_execution of step s is only valid with execute_on_child_nodes"},
		{ingot.Manageable, `{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "s", "execute_on_child_nodes": true, "limit_child_node_execution": ["00000000-0000-4000-8000-000000000000"]}]}`, "1.115", 404, "Node 00000000-0000-4000-8000-000000000000 could not be found."},
		{ingot.Manageable, `{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "s", "priority": 1}]}`, "1.115", 400, "Invalid clean_steps: 1 is not valid for 'priority'"},
		{ingot.Manageable, `{"target": "clean", "disable_ramdisk": true, "clean_steps": [{"interface": "deploy", "step": "s"}]}`, "1.69", 406, "disable_ramdisk is not acceptable in this API version"},
		{ingot.Active, `{"target": "rescue"}`, "1.115", 400, `A non-empty "rescue_password" is required when setting target provision state to rescue`},
		{ingot.Active, `{"target": "rescue", "rescue_password": "x"}`, "1.37", 406, "Request not acceptable."},
		{ingot.Active, `{"target": "service"}`, "1.115", 400, `"service_steps" is required when setting target provision state to service`},
		{ingot.Active, `{"target": "service", "service_steps": [{"interface": "deploy", "step": "s"}]}`, "1.86", 406, "Request not acceptable."},
		{ingot.CleanHold, `{"target": "unhold"}`, "1.84", 406, "Request not acceptable."},
		{ingot.InspectWait, `{"target": "abort"}`, "1.40", 406, "Request not acceptable."},
		{ingot.DeployWait, `{"target": "abort"}`, "1.109", 406, "Request not acceptable."},
		{ingot.CleanWait, `{"target": "deleted"}`, "1.115", 400, `The requested action "deleted" can not be performed on node "` + uuid + `" while it is in state "clean wait".`},
		{ingot.Deploying, `{"target": "deleted"}`, "1.115", 409, "Node " + uuid + " is locked by host *"},
		{ingot.Enroll, `{"target": "service", "service_steps": [{"interface": "deploy", "step": "s"}]}`, "1.86", 400, `The requested action "service" can not be performed on node "` + uuid + `" while it is in state "enroll".`},
	} {
		s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = tc.state })
		a := s.call(t, "PUT", "/v1/nodes/n1/states/provision", tc.body, version(tc.version))
		require.Equal(t, tc.status, a.StatusCode, "%s in %s at %s: %s", tc.body, tc.state, tc.version, a.text)
		before, _, open := strings.Cut(tc.sentence, "*")
		if open {
			require.Contains(t, a.fault(), before)
		} else {
			require.Equal(t, tc.sentence, a.fault(), tc.body)
		}
	}
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState, n.Maintenance = ingot.Available, true })
	require.Equal(t, "The provisioning operation can't be performed on node "+uuid+" because it's in maintenance mode.",
		s.must(t, 400, "PUT", "/v1/nodes/n1/states/provision", `{"target": "active"}`).fault())
	require.Empty(t, s.Conductor.asked)
}

// TestVerbs: each verb is taken in exactly the states for which the table has it.
func TestVerbs(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	bodies := map[ingot.Verb]string{
		ingot.VerbClean:   `, "clean_steps": [{"interface": "deploy", "step": "s"}]`,
		ingot.VerbService: `, "service_steps": [{"interface": "deploy", "step": "s"}]`,
		ingot.VerbRescue:  `, "rescue_password": "x"`,
	}
	states := map[ingot.State]bool{}
	verbs := map[ingot.Verb]bool{}
	for _, row := range ingot.Transitions() {
		states[row.From], verbs[row.Verb] = true, true
	}
	states[ingot.Deploying], states[ingot.Deleting] = true, true
	for state := range states {
		for verb := range verbs {
			s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = state })
			want := 400
			if state.Class() == ingot.Working {
				want = 409
			}
			if _, ok := ingot.Next(state, verb); ok {
				want = 202
			}
			s.must(t, want, "PUT", "/v1/nodes/n1/states/provision", `{"target": "`+string(verb)+`"`+bodies[verb]+`}`)
		}
	}
}

// TestPower: targets, and what refuses them.
func TestPower(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	a := s.must(t, 202, "PUT", "/v1/nodes/n1/states/power", `{"target": "soft power off", "timeout": 5}`)
	require.Equal(t, s.URL+"/v1/nodes/n1/states", a.Header.Get("Location"))
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/power", `{"target": "rebooting"}`)
	require.Equal(t, []ingot.PowerTarget{ingot.TargetSoftOff, ingot.TargetReboot}, s.Conductor.power)
	require.Equal(t, "power on", s.must(t, 200, "GET", "/v1/nodes/n1/states", nil).body["power_state"])
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.CleanWait })
	s.must(t, 400, "PUT", "/v1/nodes/n1/states/power", `{"target": "power on"}`)
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState, n.DisablePowerOff = ingot.Active, true })
	require.Equal(t, "Failed to set node power state to power off.", s.must(t, 409, "PUT", "/v1/nodes/n1/states/power", `{"target": "power off"}`).fault())
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/power", `{"target": "rebooting"}`)
}

// TestValidate: a verdict without a result says null, as clients expect of what is not supported.
func TestValidate(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	for _, path := range []string{"/v1/nodes/n1/validate", "/v1/nodes/validate?node=n1", "/v1/nodes/validate?node_uuid=" + uuid} {
		body := s.must(t, 200, "GET", path, nil).body
		require.Equal(t, map[string]any{"result": true}, body["power"], path)
		require.Equal(t, map[string]any{"result": false, "reason": "missing in instance_info: image_source"}, body["deploy"], path)
		require.Equal(t, map[string]any{"result": nil, "reason": "not supported"}, body["rescue"], path)
	}
}

// TestHistory: the short form, the long one, and the versions of the latter.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enrol(t, "n1")
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "manage"}`)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "provide"}`)
	entry := func(a answer) map[string]any {
		list, _ := a.body["history"].([]any)
		first, _ := list[0].(map[string]any)
		return first
	}
	short := s.must(t, 200, "GET", "/v1/nodes/n1/history", nil)
	require.Len(t, short.body["history"], 2)
	require.ElementsMatch(t, []string{"uuid", "created_at", "severity", "event", "links"}, keys(entry(short)))
	require.Equal(t, "enroll -> manageable", entry(short)["event"])
	long := entry(s.must(t, 200, "GET", "/v1/nodes/n1/history?detail=true", nil))
	require.Equal(t, 1.5, long["duration_seconds"])
	require.Equal(t, "manageable", long["state"])
	require.NotContains(t, entry(s.must(t, 200, "GET", "/v1/nodes/n1/history?detail=true", nil, version("1.114"))), "state")
	id, _ := long["uuid"].(string)
	require.Equal(t, long, s.must(t, 200, "GET", "/v1/nodes/n1/history/"+id, nil).body)
	page := s.must(t, 200, "GET", "/v1/nodes/n1/history?limit=1", nil)
	next, _ := page.body["next"].(string)
	require.Equal(t, "manageable -> available", entry(s.must(t, 200, "GET", strings.TrimPrefix(next, s.URL), nil))["event"])
	s.enrol(t, "n2")
	s.must(t, 404, "GET", "/v1/nodes/n2/history/"+id, nil)
}

// TestManagement: what is asked of the BMC at once.
func TestManagement(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enrol(t, "n1")
	s.must(t, 204, "PUT", "/v1/nodes/n1/management/boot_device", `{"boot_device": "pxe", "persistent": "true"}`)
	require.JSONEq(t, `{"boot_device": "pxe", "persistent": true}`, s.must(t, 200, "GET", "/v1/nodes/n1/management/boot_device", nil).text)
	s.Conductor.device = ingot.BootSetting{}
	require.JSONEq(t, `{"boot_device": null, "persistent": null}`, s.must(t, 200, "GET", "/v1/nodes/n1/management/boot_device", nil).text)
	require.JSONEq(t, `{"supported_boot_devices": ["pxe", "disk"]}`, s.must(t, 200, "GET", "/v1/nodes/n1/management/boot_device/supported", nil).text)
	s.must(t, 204, "PUT", "/v1/nodes/n1/management/inject_nmi", `{}`)
	require.Equal(t, 1, s.Conductor.nmi)
	require.JSONEq(t, `{"sensors": [{"name": "CPU", "kind": "temperature", "value": 41, "unit": "degrees C", "status": "ok"}]}`,
		s.must(t, 200, "GET", "/v1/nodes/n1/sensors", nil).text)
}

// TestDrivers: hardware types with their interfaces, by version.
func TestDrivers(t *testing.T) {
	t.Parallel()
	s := start(t)
	body := s.must(t, 200, "GET", "/v1/drivers/ipmi", nil).body
	require.Equal(t, "ipmitool", body["default_power_interface"])
	require.Equal(t, []any{"direct"}, body["enabled_deploy_interfaces"])
	require.Equal(t, "dynamic", body["type"])
	require.Len(t, keys(body), 5+26)
	require.NotContains(t, s.must(t, 200, "GET", "/v1/drivers/ipmi", nil, version("1.85")).body, "default_firmware_interface")
	require.ElementsMatch(t, []string{"name", "hosts", "links"}, keys(s.must(t, 200, "GET", "/v1/drivers/ipmi", nil, version("1.13")).body))
	require.ElementsMatch(t, []string{"name", "links"}, keys(s.must(t, 200, "GET", "/v1/drivers/ipmi?fields=name", nil).body))
	require.Len(t, s.must(t, 200, "GET", "/v1/drivers", nil).body["drivers"], 2)
	require.Empty(t, s.must(t, 200, "GET", "/v1/drivers?type=classic", nil).body["drivers"])
	require.Contains(t, s.must(t, 200, "GET", "/v1/drivers?detail=true", nil).text, "default_bios_interface")
	require.Contains(t, s.must(t, 200, "GET", "/v1/drivers/ipmi/properties", nil).body, "ipmi_address")
	require.JSONEq(t, `{"conductors": [{"hostname": "host1", "conductor_group": "", "alive": true, "links": [
		{"href": "`+s.URL+`/v1/conductors/host1", "rel": "self"}, {"href": "`+s.URL+`/conductors/host1", "rel": "bookmark"}]}],
		"next": "`+s.URL+`/v1/conductors?limit=1&marker=host1"}`,
		s.must(t, 200, "GET", "/v1/conductors?limit=1", nil).text)
	require.Len(t, s.must(t, 200, "GET", "/v1/conductors?marker=host1&detail=true", nil).body["conductors"], 2)
	require.Contains(t, s.must(t, 200, "GET", "/v1/conductors?sort_dir=desc&limit=1", nil).text, "host3")
	require.Contains(t, s.must(t, 200, "GET", "/v1/conductors?sort_key=conductor_group&sort_dir=desc&limit=1", nil).text, "host3")
	s.must(t, 400, "GET", "/v1/conductors?sort_key=drivers", nil)
	s.must(t, 404, "GET", "/v1/conductors?marker=host9", nil)
	require.Contains(t, s.must(t, 200, "GET", "/v1/conductors/host1", nil).body, "drivers")
}
