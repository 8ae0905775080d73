package conductor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

func withRules(w *world) func(*conductor.Conductor) {
	return func(c *conductor.Conductor) { c.Rules = w.store.Rules() }
}

// op is a condition or an action.
func op(name string, args any, more ...any) map[string]any {
	o := map[string]any{"op": name, "args": args}
	for i := 0; i+1 < len(more); i += 2 {
		o[more[i].(string)] = more[i+1]
	}
	return o
}

// rule creates an inspection rule, which has to be a sound one.
func (w *world) rule(priority int, conditions []map[string]any, actions ...map[string]any) {
	w.t.Helper()
	rule := ingot.InspectionRule{Priority: priority, Phase: ingot.RulePhase, Conditions: conditions, Actions: actions}
	require.NoError(w.t, rule.Check(false))
	require.NoError(w.t, w.store.Rules().Create(w.t.Context(), &rule))
}

type m = map[string]any

// TestRulesChangeWhatInspectionFound: every action that sets something, in the order of priorities.
func TestRulesChangeWhatInspectionFound(t *testing.T) {
	w := newWorld(t)
	w.start(withRules(w))
	n := w.change(w.node(ingot.Manageable).UUID, func(n *ingot.Node) {
		n.Extra, n.Traits, n.Properties = m{"old": m{"gone": 1.0, "kept": 2.0}}, []string{"CUSTOM_OLD"}, m{"capabilities": "a:1,b:2"}
	})
	port := ingot.Port{NodeUUID: n.UUID, Address: "52:54:00:00:00:01", Extra: m{"x": m{"y": 1.0}}, PXEEnabled: true}
	require.NoError(t, w.store.Ports().Create(t.Context(), &port))

	w.rule(5, nil, op("set-attribute", m{"path": "description", "value": "second: {node.description}"}))
	w.rule(9, nil,
		op("set-attribute", m{"path": "description", "value": "{inventory[system_vendor][product_name]} {{{inventory[cpu][count]}}}"}),
		op("set-attribute", m{"path": "/driver_info/ipmi_password", "value": "hush"}),
		op("set-attribute", m{"path": "extra.new.deep", "value": []any{1.0, "{node.uuid}"}}),
		op("extend-attribute", m{"path": "extra/list", "value": "a"}), op("extend-attribute", m{"path": "extra/list", "value": "a", "unique": true}),
		op("extend-attribute", []any{"extra/list", "b"}), // by place, as older rules have it
		op("del-attribute", m{"path": "extra/old/gone"}),
		op("set-attribute", m{"path": "automated_clean", "value": false}),
		op("set-capability", m{"name": "a", "value": "{inventory[boot][current_boot_mode]}"}), op("unset-capability", m{"name": "b"}),
		op("add-trait", m{"name": "CUSTOM_NEW"}), op("remove-trait", m{"name": "CUSTOM_OLD"}), op("remove-trait", m{"name": "CUSTOM_NEVER"}),
		op("set-plugin-data", m{"path": "p.q", "value": "{node.description}"}), op("extend-plugin-data", m{"path": "p.list", "value": 1.0}),
		op("set-plugin-data", m{"path": "gone.only", "value": 1.0}), op("unset-plugin-data", m{"path": "gone.only"}), op("unset-plugin-data", m{"path": "never"}),
		op("set-port-attribute", m{"port_id": port.UUID, "path": "pxe_enabled", "value": false}),
		op("set-port-attribute", m{"port_id": port.UUID, "path": "local_link_connection/port_id", "value": "{inventory[system_vendor][serial_number]}"}),
		op("extend-port-attribute", m{"port_id": port.UUID, "path": "extra/list", "value": 1.0}), op("del-port-attribute", m{"port_id": port.UUID, "path": "extra/x/y"}),
		op("set-attribute", m{"path": "{item[path]}", "value": "{item[value]}"}, "loop", []any{m{"path": "extra/l1", "value": "{inventory[cpu][architecture]}"}, m{"path": "extra/l2", "value": "v"}}),
		op("log", m{"msg": "seen {node.uuid}", "level": "warning"}),
	)
	w.ask(n.UUID, ingot.VerbInspect)
	n = w.until(n.UUID, ingot.Manageable)
	require.Equal(t, "second: Fake server {4}", n.Description)
	require.Equal(t, ingot.Secret("hush"), n.DriverInfo["ipmi_password"])
	require.Equal(t, m{"old": m{"kept": 2.0}, "new": m{"deep": []any{1.0, n.UUID}}, "list": []any{"a", "b"}, "l1": "x86_64", "l2": "v"}, n.Extra)
	require.False(t, *n.AutomatedClean)
	require.Equal(t, "boot_mode:uefi,a:uefi", n.Properties["capabilities"])
	require.Equal(t, "8192", n.Properties["memory_mb"], "what inspection itself found is kept")
	require.Equal(t, []string{"CUSTOM_NEW"}, n.Traits)
	_, plugin, err := w.store.Inventory(t.Context(), n.UUID)
	require.NoError(t, err)
	require.Equal(t, m{"p": m{"q": "Fake server {4}", "list": []any{1.0}}}, plugin)
	port, err = w.store.Ports().Get(t.Context(), port.UUID)
	require.NoError(t, err)
	require.False(t, port.PXEEnabled)
	require.Equal(t, m{"port_id": "0"}, port.LocalLinkConnection)
	require.Equal(t, m{"x": m{}, "list": []any{1.0}}, port.Extra)
}

// TestConditionsOfRules: which hold for a fake machine.
func TestConditionsOfRules(t *testing.T) {
	w := newWorld(t)
	w.start(withRules(w))
	n := w.change(w.node(ingot.Manageable).UUID, func(n *ingot.Node) { n.ResourceClass, n.Extra = "big", m{"n": 3.0, "password": "p"} })
	rows := []struct {
		condition map[string]any
		holds     bool
	}{
		{op("eq", m{"values": []any{"{node.resource_class}", "big"}}), true},
		{op("!eq", m{"values": []any{"{node.resource_class}", "big"}}), false},
		{op("! eq", m{"values": []any{"{node.resource_class}", "small"}}), true},
		{op("eq", m{"values": []any{"{inventory[cpu][count]}", 4.0}}), false},
		{op("eq", m{"values": []any{"{inventory[cpu][count]}", 4.0}, "force_strings": true}), true},
		{op("lt", m{"values": []any{1.0, 1.5, 2.0}}), true},
		{op("gt", m{"values": []any{3.0, 2.0, 2.0}}), false},
		{op("gt", []any{[]any{"b", "a"}}), true},
		{op("is-empty", m{"value": "{plugin_data[nothing][here]}"}), true},
		{op("is-empty", m{"value": "{inventory[disks]}"}), false},
		{op("is-empty", m{"value": "{inventory[interfaces]}"}), true},
		{op("is-none", m{"value": nil}), true},
		{op("is-true", m{"value": "Yes"}), true},
		{op("is-true", m{"value": "1"}), false},
		{op("is-false", m{"value": 0.0}), true},
		{op("in-net", m{"address": "192.0.2.7", "subnet": "192.0.2.0/24"}), true},
		{op("in-net", m{"address": "192.0.3.7", "subnet": "192.0.2.1/24"}), false},
		{op("matches", m{"value": "{inventory[system_vendor][product_name]}", "regex": "Fake"}), false},
		{op("matches", m{"value": "{inventory[system_vendor][product_name]}", "regex": "Fake.*"}), true},
		{op("contains", m{"value": "{inventory[disks][0][name]}", "regex": "sd[ab]$"}), true},
		{op("one-of", m{"value": "{inventory[cpu][architecture]}", "values": []any{"aarch64", "x86_64"}}), true},
		{op("eq", m{"values": []any{"{item}", "{inventory[cpu][count]}"}}, "loop", []any{3.0, 4.0}), true},
		{op("eq", m{"values": []any{"{item}", 4.0}}, "loop", []any{3.0, 4.0}, "multiple", "all"), false},
		{op("eq", m{"values": []any{"{item}", 4.0}}, "loop", []any{4.0, 3.0}, "multiple", "last"), false},
		{op("eq", m{"values": []any{"{item}", 4.0}}, "loop", []any{4.0, 3.0}, "multiple", "first"), true},
		{op("eq", m{"values": []any{"{node.extra[password]}", "***"}}), true},
		{op("eq", m{"values": []any{"{nothing}", "{nothing}"}}), true}, // as it stands
	}
	for i, row := range rows {
		w.rule(1, []map[string]any{row.condition}, op("set-attribute", m{"path": fmt.Sprintf("extra/held%d", i), "value": true}))
	}
	w.ask(n.UUID, ingot.VerbInspect)
	n = w.until(n.UUID, ingot.Manageable)
	for i, row := range rows {
		_, held := n.Extra[fmt.Sprintf("held%d", i)]
		require.Equal(t, row.holds, held, "%v", row.condition)
	}
}

// TestRulesThatFail: fail the inspection, say why, and leave nothing of what rules did.
func TestRulesThatFail(t *testing.T) {
	for _, c := range []struct {
		action map[string]any
		reason string
	}{
		{op("fail", m{"msg": "no such machine here"}), "Failed to inspect hardware. Reason: no such machine here"},
		{op("set-attribute", m{"path": "provision_state", "value": "active"}), "rules cannot set provision_state of a node"},
		{op("set-attribute", m{"path": "description", "value": 1.0}), "cannot carry out set-attribute of description: 1 does not fit there"},
		{op("set-attribute", m{"path": "name", "value": "taken"}), "A node with name taken already exists."},
		{op("extend-attribute", m{"path": "extra/text", "value": 1.0}), "Cannot extend non-list attribute"},
		{op("del-attribute", m{"path": "extra/never"}), "there is no never"},
		{op("add-trait", m{"name": "nope"}), "Failed to add new trait nope"},
		{op("set-port-attribute", m{"port_id": "x", "path": "extra/a", "value": 1.0}), "Port x could not be found."},
		{op("log", m{"msg": "x", "level": "loud"}), "Invalid log level: loud"},
	} {
		t.Run(fmt.Sprint(c.action["op"], " ", c.reason), func(t *testing.T) {
			w := newWorld(t)
			w.start(withRules(w))
			w.change(w.node(ingot.Enroll).UUID, func(n *ingot.Node) { n.Name = "taken" })
			n := w.change(w.node(ingot.Manageable).UUID, func(n *ingot.Node) { n.Extra = m{"text": "t"} })
			w.rule(2, nil, op("set-attribute", m{"path": "extra/first", "value": 1.0}))
			w.rule(1, nil, c.action)
			w.ask(n.UUID, ingot.VerbInspect)
			n = w.until(n.UUID, ingot.InspectFailed)
			require.Contains(t, n.LastError, "Failed to finish inspection: rule ")
			require.Contains(t, n.LastError, c.reason)
			require.Equal(t, m{"text": "t"}, n.Extra)
		})
	}
}

// TestRulesCallOut: to a URL, which is asked again when it fails for now.
func TestRulesCallOut(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path != "/4" || r.Header.Get("X-Rule") != "1" {
			rw.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	w := newWorld(t)
	w.start(withRules(w))
	n := w.node(ingot.Manageable)
	w.rule(1, nil, op("api-call", m{"url": server.URL + "/{inventory[cpu][count]}", "headers": m{"X-Rule": 1.0}, "backoff_factor": 0.001}))
	w.ask(n.UUID, ingot.VerbInspect)
	w.until(n.UUID, ingot.Manageable)
	require.EqualValues(t, 2, asked.Load())
	w.rule(1, nil, op("api-call", m{"url": server.URL + "/nothing", "retries": 5.0}))
	w.ask(n.UUID, ingot.VerbInspect)
	require.Contains(t, w.until(n.UUID, ingot.InspectFailed).LastError, "/nothing failed: it answered 404 Not Found")
	require.EqualValues(t, 4, asked.Load(), "a 404 is not asked again")
}

// TestBuiltInRules: the operator's rules stand in the order of priorities with the others.
func TestBuiltInRules(t *testing.T) {
	w := newWorld(t)
	set := func(value string) []map[string]any {
		return []map[string]any{op("extend-attribute", m{"path": "extra/order", "value": value})}
	}
	w.start(func(c *conductor.Conductor) {
		c.Rules = w.store.Rules()
		c.BuiltInRules = []ingot.InspectionRule{{UUID: "b1", Priority: -1, Actions: set("last")}, {UUID: "b2", Priority: 20000, Actions: set("first")}}
	})
	w.rule(5, nil, set("between")...)
	n := w.node(ingot.Manageable)
	w.ask(n.UUID, ingot.VerbInspect)
	require.Equal(t, []any{"first", "between", "last"}, w.until(n.UUID, ingot.Manageable).Extra["order"])
}
