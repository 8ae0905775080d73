package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// Agents is what ramdisks reach. An unknown machine is NotFound, whatever the reason: a stranger learns nothing.
type Agents interface {
	// Lookup finds the node of a ramdisk that calls from an address; Agent.Token of the answer is set when it may have it.
	Lookup(ctx context.Context, macs []string, nodeUUID, from string) (ingot.Node, error)
	Heartbeat(ctx context.Context, nodeUUID string, hb ingot.Heartbeat) error
	// ContinueInspection takes an inventory, with what plug-ins added; nodeUUID may be "".
	ContinueInspection(ctx context.Context, nodeUUID string, inventory ingot.Inventory, plugin map[string]any, from string) (ingot.Node, error)
}

// lookupFields are the node's fields that ramdisks see.
func lookupFields() []string {
	return []string{"uuid", "properties", "instance_info", "driver_internal_info"}
}

// errHidden is the one answer to every lookup that fails.
func errHidden() error { return ingot.Errorf(ingot.NotFound, "Resource could not be found.") }

// lookup is GET /v1/lookup.
func lookup(r *request) (response, error) {
	a := r.args("addresses", "node_uuid")
	var macs []string
	for _, address := range a.list("addresses") {
		if mac, ok := canonicalMAC(address); ok {
			macs = append(macs, mac)
		}
	}
	uuid := a.uuid("node_uuid")
	switch {
	case a.err != nil:
		return response{}, a.err
	case len(macs) == 0 && uuid == "":
		return response{}, ingot.Errorf(ingot.Invalid, "At least one of 'addresses' and 'node_uuid' parameters is required")
	}
	node, err := r.api.Agents.Lookup(r.Context(), macs, uuid, r.from())
	if ingot.CodeOf(err) == ingot.NotFound {
		return response{}, errHidden()
	}
	if err != nil {
		return response{}, err
	}
	return response{body: r.lookupBody(&node)}, nil
}

// lookupBody is a node and what its agent is to know. The keys of config are those that ironic-python-agent reads.
func (r *request) lookupBody(n *ingot.Node) map[string]any {
	timeout := r.api.HeartbeatTimeout
	if timeout == 0 {
		timeout = 300 * time.Second
	}
	var token any
	if n.Agent.Token != "" {
		token = n.Agent.Token.Reveal()
	}
	node := viewOf(r, r.tables.nodes, lookupFields()).render(n, 1)
	node.set("links", r.links("nodes/"+n.UUID))
	return map[string]any{
		"node": node,
		"config": map[string]any{
			"metrics":                        map[string]any{"backend": "noop", "prepend_host": false, "prepend_uuid": false, "prepend_host_reverse": true, "global_prefix": nil},
			"metrics_statsd":                 map[string]any{"statsd_host": "localhost", "statsd_port": 8125},
			"heartbeat_timeout":              int(timeout.Seconds()),
			"agent_token":                    token,
			"agent_token_required":           true,
			"agent_md5_checksum_enable":      false,
			"disable_deep_image_inspection":  false,
			"permitted_image_formats":        []string{"raw", "gpt", "qcow2", "iso"},
			"agent_skip_bmc_detect":          n.Interfaces.Management == "redfish",
			"enable_bios_bootloader_install": false,
		},
	}
}

// heartbeat is POST /v1/heartbeat/{node}.
func heartbeat(r *request) (response, error) {
	a := r.args("callback_url", "agent_version", "agent_token", "agent_verify_ca", "agent_status", "agent_status_message")
	a.need("callback_url")
	hb := ingot.Heartbeat{
		CallbackURL: a.text("callback_url"), Version: a.text("agent_version"), Token: ingot.Secret(a.text("agent_token")),
		CA: a.text("agent_verify_ca"), Status: a.text("agent_status"), StatusMessage: a.text("agent_status_message"), From: r.from(),
	}
	if a.err == nil {
		a.err = r.checkHeartbeat(a, hb)
	}
	if a.err != nil {
		return response{}, a.err
	}
	ident, err := r.ident("node", "node")
	if err != nil {
		return response{}, err
	}
	if _, isUUID := canonicalUUID(ident); !isUUID && r.api.Nodes != nil {
		node, err := r.nodeNamed(ident)
		if err != nil {
			return response{}, err
		}
		ident = node.UUID
	}
	if err := r.api.Agents.Heartbeat(r.Context(), ident, hb); err != nil {
		return response{}, err
	}
	return response{status: http.StatusAccepted}, nil
}

func (r *request) checkHeartbeat(a *args, hb ingot.Heartbeat) error {
	u, err := url.Parse(hb.CallbackURL)
	switch {
	case a.has("agent_version") && !r.since(36):
		return ingot.Errorf(ingot.Invalid, `Field "agent_version" not recognised`)
	case (a.has("agent_status") || a.has("agent_status_message")) && !r.since(72):
		return ingot.Errorf(ingot.Invalid, `Fields "agent_status" and "agent_status_message" not recognised.`)
	case a.has("agent_verify_ca") && !r.since(68):
		return ingot.Errorf(ingot.Invalid, `Field "agent_verify_ca" not recognised in this version`)
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return ingot.Errorf(ingot.Invalid, `An issue with the supplied "callback_url" has been detected.`)
	case hb.Token == "":
		return ingot.Errorf(ingot.Invalid, "Agent token is required for heartbeat processing.")
	case a.has("agent_status") && !slices.Contains([]string{"start", "end", "error"}, hb.Status):
		return ingot.Errorf(ingot.Invalid, "Agent status is invalid. Valid states are start,end,error.")
	}
	return nil
}

// continueInspection is POST /v1/continue_inspection: since 1.84, and in 1.1 for agents that send no version.
func continueInspection(r *request) (response, error) {
	r.asked = true
	query := r.URL.Query()
	uuid, isUUID := canonicalUUID(query.Get("node_uuid"))
	switch {
	case r.minor != minMinor && !r.since(84), query.Has("node_uuid") && !r.since(84):
		return response{}, ingot.Errorf(ingot.NotFound, "API version 1.84 or newer is required")
	case query.Has("node_uuid") && !isUUID:
		return response{}, ingot.Errorf(ingot.Invalid, "Expected UUID for node_uuid: %s", query.Get("node_uuid"))
	}
	if query.Del("node_uuid"); len(query) > 0 {
		return response{}, errUnexpected(slices.Collect(maps.Keys(query)))
	}
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	inventory, plugin, err := readInventory(body)
	if err != nil {
		return response{}, err
	}
	node, err := r.api.Agents.ContinueInspection(r.Context(), uuid, inventory, plugin, r.from())
	if ingot.CodeOf(err) == ingot.NotFound {
		return response{}, errHidden()
	}
	if err != nil {
		return response{}, err
	}
	if !r.since(84) {
		return response{status: http.StatusAccepted, body: map[string]any{"uuid": node.UUID}}, nil
	}
	return response{status: http.StatusAccepted, body: r.lookupBody(&node)}, nil
}

// readInventory takes inspection data apart: the inventory, and all else.
func readInventory(body any) (inventory ingot.Inventory, plugin map[string]any, err error) {
	data, ok := body.(map[string]any)
	if !ok {
		return inventory, nil, schemaError("data", "%s is not of type 'object'", repr(body))
	}
	raw, ok := data["inventory"].(map[string]any)
	if !ok {
		return inventory, nil, schemaError("data", "'inventory' is a required property")
	}
	text, err := json.Marshal(raw)
	if err != nil {
		return inventory, nil, ingot.Errorf(ingot.Invalid, "cannot read the inventory: %w", err)
	}
	if err := json.Unmarshal(text, &inventory); err != nil {
		return inventory, nil, schemaError("data", "%v", err)
	}
	if len(inventory.Interfaces) == 0 {
		return inventory, nil, schemaError("data", "'interfaces' is a required property, with at least one item that has a 'mac_address'")
	}
	for i := range inventory.Interfaces {
		inventory.Interfaces[i].MAC = strings.ToLower(inventory.Interfaces[i].MAC)
	}
	plugin = data
	delete(plugin, "inventory")
	return inventory, plugin, nil
}
