package clients_test

import (
	"fmt"
	"testing"

	"github.com/ingot-metal/ingot"
)

// action is something that a walker does to its node, with one of the bodies.
type action struct {
	method, path, body string
	bodies             []string
}

// actions are what walkers draw from; what moves nodes on is there more than once.
func actions() []action {
	provision, node := nodes+"NODE/states/provision", nodes+"NODE"
	verbs := action{"PUT", provision, "", []string{
		`{"target": "manage"}`, `{"target": "provide"}`, `{"target": "inspect"}`, `{"target": "adopt"}`, `{"target": "active"}`, `{"target": "rebuild"}`, `{"target": "deleted"}`,
		`{"target": "abort"}`, `{"target": "unrescue"}`, `{"target": "unhold"}`, `{"target": "rescue", "rescue_password": "x"}`, `{"target": "deploy"}`, `{"target": "undeploy"}`,
		`{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "erase_devices_metadata"}]}`,
		`{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "hold"}, {"interface": "bios", "step": "factory_reset"}]}`,
		`{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "nothing_has_this"}]}`,
		`{"target": "clean", "disable_ramdisk": true, "clean_steps": [{"interface": "raid", "step": "delete_configuration"}]}`,
		`{"target": "service", "service_steps": [{"interface": "power", "step": "reboot"}, {"interface": "deploy", "step": "burnin_cpu"}]}`,
		`{"target": "service", "service_steps": [{"interface": "deploy", "step": "hold"}]}`,
		`{"target": "active", "configdrive": {"meta_data": {"a": "b"}}, "deploy_steps": [{"interface": "bios", "step": "factory_reset", "args": {}, "priority": 90}]}`,
	}}
	wrong := action{"PUT", provision, "", []string{
		`{"target": "clean"}`, `{"target": "rescue"}`, `{"target": "explode"}`, `{}`, `[]`, `{"target": "active", "configdrive": 5}`, `{"target": "deploy", "configdrive": "aGVsbG8="}`,
		`{"target": "service", "service_steps": [{}]}`, `{"target": "provide", "clean_steps": [{"interface": "deploy", "step": "x"}]}`, `{"target": "clean", "runbook": "nope"}`,
	}}
	abort := action{"PUT", provision, "", []string{`{"target": "abort"}`, `{"target": "unhold"}`, `{"target": "deleted"}`}}
	patches := action{"PATCH", node, "", []string{
		`[{"op": "add", "path": "/extra/a", "value": 1}]`, `[{"op": "remove", "path": "/extra/a"}]`, `[{"op": "add", "path": "/protected", "value": true}]`, `[{"op": "remove", "path": "/protected"}]`,
		`[{"op": "add", "path": "/retired", "value": true}]`, `[{"op": "add", "path": "/retired", "value": false}]`, `[{"op": "add", "path": "/automated_clean", "value": false}]`,
		`[{"op": "remove", "path": "/automated_clean"}]`, `[{"op": "add", "path": "/provision_state", "value": "active"}]`, `[{"op": "add", "path": "/description", "value": "x"}, {"op": "remove", "path": "/extra/none"}]`,
		`[{"op": "add", "path": "/raid_interface", "value": "no-raid"}]`, `[{"op": "add", "path": "/raid_interface", "value": "fake"}]`, `[{"op": "add", "path": "/deploy_interface", "value": "none"}]`,
		`[{"op": "add", "path": "/driver", "value": "ilo"}, {"op": "add", "path": "/extra/b", "value": 1}]`, `[{"op": "add", "path": "/resource_class", "value": "x"}]`, `[{"op": "test", "path": "/name"}]`,
		`[{"op": "add", "path": "/instance_info", "value": {}}]`, `[{"op": "add", "path": "/maintenance", "value": false}]`, `[{"op": "add", "path": "/disable_power_off", "value": false}]`, `{}`,
	}}
	others := []action{
		{"PUT", nodes + "NODE/states/power", "", []string{`{"target": "power on"}`, `{"target": "power off"}`, `{"target": "rebooting"}`, `{"target": "soft power off", "timeout": 1}`, `{"target": "warp"}`, `{"target": "power on", "timeout": 0}`}},
		{"PUT", nodes + "NODE/maintenance", `{"reason": "walk"}`, nil},
		{"DELETE", nodes + "NODE/maintenance", "", nil},
		{"DELETE", nodes + "NODE/maintenance", "", nil},
		{"DELETE", node, "", nil},
		{"POST", "/v1/heartbeat/NODE", "", []string{`{"callback_url": "https://192.0.2.1:9999", "agent_token": "guess", "agent_version": "1"}`, `{"callback_url": "x"}`, `{}`}},
		{"GET", "/v1/lookup?node_uuid=NODE", "", nil},
		{"POST", "/v1/continue_inspection?node_uuid=NODE", `{"inventory": {"interfaces": [{"name": "a", "mac_address": "52:54:00:00:99:99"}]}}`, nil},
		{"GET", nodes + "NODE/validate", "", nil},
		{"PUT", nodes + "NODE/states/boot_mode", "", []string{`{"target": "bios"}`, `{"target": "x"}`}},
		{"PUT", nodes + "NODE/states/raid", "", []string{`{"logical_disks": [{"size_gb": 10, "raid_level": "1"}]}`, `{}`, `{"logical_disks": 1}`}},
		{"PUT", nodes + "NODE/states/console", "", []string{`{"enabled": true}`, `{"enabled": false}`, `{"enabled": 7}`}},
		{"PUT", nodes + "NODE/management/boot_device", "", []string{`{"boot_device": "pxe", "persistent": true}`, `{"boot_device": "moon"}`}},
		{"POST", nodes + "NODE/vendor_passthru?method=second_method", "", []string{`{"bar": "kazoo"}`, `{}`}},
		{"PUT", nodes + "NODE/traits", "", []string{`{"traits": ["CUSTOM_A"]}`, `{"traits": ["nope"]}`, `{"traits": []}`}},
		{"POST", "/v1/ports", "", []string{`{"node_uuid": "NODE", "address": "nope"}`, `{"node_uuid": "` + uuid(99) + `", "address": "52:54:00:00:88:01"}`}},
	}
	return append(others, verbs, verbs, verbs, verbs, verbs, verbs, verbs, verbs, wrong, wrong, abort, abort, patches, patches, patches)
}

// fittingBody is a verb with what it needs.
func fittingBody(verb ingot.Verb) string {
	with := map[ingot.Verb]string{
		ingot.VerbClean:  `, "clean_steps": [{"interface": "deploy", "step": "erase_devices_metadata"}, {"interface": "deploy", "step": "hold"}]`,
		ingot.VerbRescue: `, "rescue_password": "x"`, ingot.VerbService: `, "service_steps": [{"interface": "power", "step": "reboot"}, {"interface": "deploy", "step": "hold"}]`,
	}
	return fmt.Sprintf(`{"target": %q%s}`, verb, with[verb])
}

// judgeStates holds every change of a node's state that the service told of against Ironic's table, and says how many there were.
func (s *service) judgeStates(t *testing.T) (seen int, err error) {
	t.Helper()
	allowed, trail := edges(), map[string][]string{}
	for after := int64(0); ; {
		events, next, err := s.Store.Events(t.Context(), after, 1000)
		if err != nil || next == after {
			return seen, err
		}
		after = next
		for _, e := range events {
			if e.Type != "node.state" {
				continue
			}
			from, to := fmt.Sprint(e.Data["from"]), fmt.Sprint(e.Data["to"])
			way := append(trail[e.Node], to)
			switch was := trail[e.Node]; {
			case !allowed[[2]ingot.State{ingot.State(from), ingot.State(to)}]:
				return seen, fmt.Errorf("node %s went from %s to %s, which the table has not: %v", e.Node, from, to, way)
			case len(was) > 0 && was[len(was)-1] != from:
				return seen, fmt.Errorf("node %s went from %s to %s, where it was not: %v", e.Node, from, to, way)
			}
			trail[e.Node] = way
			seen++
		}
	}
}

// edges are the changes of state that the table allows: what verbs begin, and how what they began may go on and end.
func edges() map[[2]ingot.State]bool {
	allowed := map[[2]ingot.State]bool{}
	add := func(from, to ingot.State) { allowed[[2]ingot.State{from, to}] = true }
	for _, row := range ingot.Transitions() {
		add(row.From, row.To)
		if row.Verb == ingot.VerbAbort { // the node is shown as working until its machine has been made safe
			add(row.From, ingot.WorkOf(row.From))
		}
		if row.Kind == "" {
			continue
		}
		for _, works := range []ingot.State{row.To, ingot.WaitOf(row.To)} { // a wait may end without the work being shown again
			add(works, row.Target)
			add(works, ingot.FailureOf(row.To))
			add(works, ingot.WaitOf(row.To))
			add(works, ingot.HoldOf(row.To))
			add(works, row.To)
		}
	}
	add(ingot.Deleting, ingot.Cleaning)     // the second half of deleted is a cleaning
	add(ingot.Cleaning, ingot.Manageable)   // of a node that is retired
	add(ingot.ServiceFailed, ingot.Active)  // an aborted service goes on by itself
	add(ingot.CleanHold, ingot.CleanFailed) // a hold whose node is taken away
	return allowed
}
