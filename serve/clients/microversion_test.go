package clients_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/serve"
)

// row is one thing that a microversion brought. look is what a client sees of it: before in the version below, now in
// the version itself.
type row struct {
	minor       int
	what        string
	look        func(t *testing.T, s *service, version string) string
	before, now string // a list of words with | between allows each of them
}

// TestMicroversions holds every row of Ironic's history of microversions against the service, and the history is whole.
func TestMicroversions(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *serve.Config) { c.Fake.Boot.Earliest = time.Hour })
	furnish(t, s)
	hold(t, s)
	rows := append(earlyRows(), lateRows()...)
	have := map[int]bool{}
	for _, r := range rows {
		have[r.minor] = true
		t.Run(fmt.Sprintf("1.%d %s", r.minor, r.what), func(t *testing.T) {
			before := r.look(t, s, fmt.Sprintf("1.%d", r.minor-1))
			now := r.look(t, s, fmt.Sprintf("1.%d", r.minor))
			require.Contains(t, strings.Split(r.before, "|"), before, "in 1.%d", r.minor-1)
			require.Contains(t, strings.Split(r.now, "|"), now, "in 1.%d", r.minor)
		})
	}
	for minor := 2; minor <= 115; minor++ {
		require.True(t, have[minor], "1.%d has no row", minor)
	}
}

// shown is a row of fields that a thing has in answers. Fields below others are named with a slash.
func shown(minor int, path string, fields ...string) row {
	return row{minor: minor, what: "shows " + strings.Join(fields, ", "), before: "hidden", now: "shown", look: func(t *testing.T, s *service, version string) string {
		thing := s.first(t, path, version)
		seen := 0
		for _, field := range fields {
			if _, ok := thing[field]; ok {
				seen++
			}
		}
		switch seen {
		case 0:
			return "hidden"
		case len(fields):
			return "shown"
		}
		return fmt.Sprintf("%d of %d shown", seen, len(fields))
	}}
}

// first is the thing at a path, or the first of the list there.
func (s *service) first(t *testing.T, path, version string) object {
	t.Helper()
	a := s.call(t, "GET", path, version, nil)
	require.Equal(t, http.StatusOK, a.StatusCode, "%s in %s: %s", path, version, a.text)
	if len(a.body) > 2 {
		return a.body
	}
	for _, v := range a.body {
		if list, ok := v.([]any); ok && len(list) > 0 {
			thing, _ := list[0].(object)
			return thing
		}
	}
	return a.body
}

// code is a row of a request's status.
func code(minor int, method, path string, body any, before, now string) row {
	return row{minor: minor, what: method + " " + path, before: before, now: now, look: func(t *testing.T, s *service, version string) string {
		return fmt.Sprint(s.call(t, method, path, version, body).StatusCode)
	}}
}

// filter is a row of a list's parameter.
func filter(minor int, path string) row { return code(minor, "GET", path, nil, "406", "200") }

// set is a row of fields that a patch can change.
func set(minor int, path, field string, value any) row {
	r := code(minor, "PATCH", path, []object{{"op": "add", "path": "/" + field, "value": value}}, "406", "200")
	r.what = "PATCH " + field
	return r
}

// verb is a row of a provision verb, asked of a node that is in no state for it.
func verb(minor int, target string, more ...object) row {
	body := object{"target": target}
	for _, m := range more {
		for key, v := range m {
			body[key] = v
		}
	}
	r := code(minor, "PUT", "/v1/nodes/"+uuid(1)+"/states/provision", body, "406", "400")
	r.what = "verb " + target
	return r
}

// says is a row of what a refusal says: "old" when the sentence has the words, else "new".
func says(minor int, what, method, path string, body any, words string) row {
	return row{minor: minor, what: what, before: "old", now: "new", look: func(t *testing.T, s *service, version string) string {
		if a := s.call(t, method, path, version, body); a.StatusCode == 400 && strings.Contains(a.fault(), words) {
			return "old"
		}
		return "new"
	}}
}

// signal is a row of a version that changes nothing in answers: it tells clients what the service does.
func signal(minor int, what string) row {
	return row{minor: minor, what: what, before: "same", now: "same", look: func(t *testing.T, s *service, version string) string {
		a := s.call(t, "GET", "/v1/nodes/"+uuid(1), version, nil)
		if a.StatusCode == http.StatusOK && a.Header.Get("X-OpenStack-Ironic-API-Version") == version {
			return "same"
		}
		return a.text
	}}
}

// furnish makes one of each thing, and nodes in states that can be looked at.
func furnish(t *testing.T, s *service) {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	no := false
	for i, state := range []ingot.State{
		ingot.Enroll, ingot.Available, ingot.Manageable, ingot.Available, ingot.Active, ingot.Manageable, ingot.Active, ingot.Active, ingot.Active, ingot.Active,
		ingot.Manageable, ingot.Manageable, ingot.Active, ingot.DeployHold,
	} {
		s.node(t, &ingot.Node{UUID: uuid(i + 1), Name: fmt.Sprintf("n%d", i+1), ProvisionState: state, ProvisionUpdatedAt: at, AutomatedClean: &no, InstanceInfo: s.image(t)})
	}
	s.must(t, 201, "POST", "/v1/chassis", object{"uuid": uuid(20)})
	s.must(t, 201, "POST", "/v1/ports", object{"uuid": uuid(21), "name": "p1", "node_uuid": uuid(1), "address": "52:54:00:00:00:01"})
	s.must(t, 201, "POST", "/v1/portgroups", object{"uuid": uuid(22), "name": "pg1", "node_uuid": uuid(1), "address": "52:54:00:00:00:02"})
	s.must(t, 201, "POST", "/v1/volume/connectors", object{"uuid": uuid(23), "node_uuid": uuid(1), "type": "iqn", "connector_id": "iqn.2026-01.net.example:a"})
	s.must(t, 201, "POST", "/v1/volume/targets", object{"uuid": uuid(24), "node_uuid": uuid(1), "volume_type": "iscsi", "volume_id": "v1", "boot_index": 0})
	step := object{"interface": "deploy", "step": "erase_devices", "args": object{}}
	s.must(t, 201, "POST", "/v1/deploy_templates", object{"uuid": uuid(25), "name": "CUSTOM_A", "steps": []object{with(step, "priority", 10)}})
	s.must(t, 201, "POST", "/v1/runbooks", object{"uuid": uuid(26), "name": "CUSTOM_B", "steps": []object{with(step, "order", 1)}})
	s.must(t, 201, "POST", "/v1/inspection_rules", object{"uuid": uuid(27), "actions": []object{{"op": "fail", "args": object{"msg": "no"}}}})
	s.must(t, 201, "POST", "/v1/allocations", object{"uuid": uuid(28), "name": "al1", "resource_class": "none"})
	s.must(t, 202, "PUT", "/v1/nodes/"+uuid(6)+"/states/power", object{"target": "power on"})
	s.powered(t, uuid(6), "power on")
}

// hold brings nodes into states in which the agent is waited for.
func hold(t *testing.T, s *service) {
	t.Helper()
	s.must(t, 202, "PUT", "/v1/nodes/"+uuid(3)+"/states/provision", object{"target": "inspect"})
	s.settle(t, uuid(3), ingot.InspectWait)
	s.must(t, 202, "PUT", "/v1/nodes/"+uuid(4)+"/states/provision", object{"target": "active"})
	s.settle(t, uuid(4), ingot.DeployWait)
}

// settle waits until a node is in a state: agents never call here, so that it stays there.
func (s *service) settle(t *testing.T, node string, want ingot.State) {
	t.Helper()
	state := ""
	require.Eventually(t, func() bool {
		state, _ = s.must(t, 200, "GET", "/v1/nodes/"+node, nil).body["provision_state"].(string)
		return state == string(want)
	}, patience, tick, "%s is not in %s", node, want)
}

// powered waits until a node's power is in a state, and nobody holds the node.
func (s *service) powered(t *testing.T, node, want string) {
	t.Helper()
	require.Eventually(t, func() bool {
		n := s.must(t, 200, "GET", "/v1/nodes/"+node, nil).body
		return n["power_state"] == want && n["target_power_state"] == nil && n["reservation"] == nil
	}, patience, tick, "%s is not in %s", node, want)
}

// with is a copy of an object with a field more.
func with(o object, key string, v any) object {
	out := object{key: v}
	for k, v := range o {
		out[k] = v
	}
	return out
}
