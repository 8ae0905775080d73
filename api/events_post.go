package api

import (
	"net/http"
	"slices"

	"github.com/ingot-metal/ingot"
)

// eventKey is a word of an event from outside.
type eventKey struct {
	name     string
	required bool
	null     bool // null may stand for it
	form     func(string) bool
	wrong    string // what a value that has not the form is told
}

// eventKeys are the words of Ironic's schema of events (1.54): what Neutron says of its ports.
func eventKeys() []eventKey {
	isUUID := func(text string) bool { _, ok := canonicalUUID(text); return ok }
	isMAC := func(text string) bool { _, ok := canonicalMAC(text); return ok }
	isKind := func(text string) bool { return contains(eventTypes(), text) }
	return []eventKey{
		{name: "event", required: true, form: isKind, wrong: "%s is not one of " + reprList(eventTypes())},
		{name: "port_id", required: true, form: isUUID, wrong: "%s is not a 'uuid'"},
		{name: "mac_address", required: true, form: isMAC, wrong: "%s is not a 'mac-address'"},
		{name: "status", required: true},
		{name: "device_id", null: true, form: isUUID, wrong: "%s is not a 'uuid'"},
		{name: "binding:host_id", null: true, form: isUUID, wrong: "%s is not a 'uuid'"},
		{name: "binding:vnic_type", null: true},
	}
}

func eventTypes() []string {
	return []string{"network.bind_port", "network.unbind_port", "network.delete_port"}
}

func reprList(words []string) string { return "[" + reprWords(words) + "]" }

// postEvents is POST /v1/events (Ironic since 1.54): what Neutron did with its ports. Ironic writes it to its log; here
// GET /v1/events tells it on.
func postEvents(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	object, ok := body.(map[string]any)
	if !ok {
		return response{}, schemaError("evts", "%s is not of type 'object'", repr(body))
	}
	list, given := object["events"]
	for name := range object {
		if name != "events" {
			return response{}, unexpectedError("evts", []string{name})
		}
	}
	if !given {
		return response{}, schemaError("evts", "'events' is a required property")
	}
	items, ok := list.([]any)
	switch {
	case !ok:
		return response{}, schemaError("evts", "%s is not of type 'array'", repr(list))
	case len(items) == 0:
		return response{}, schemaError("evts", "[] is too short")
	}
	events := make([]ingot.Event, len(items))
	for i, item := range items {
		if events[i], err = readEvent(item); err != nil {
			return response{}, err
		}
	}
	return response{status: http.StatusNoContent}, r.api.Events.AppendEvents(r.Context(), events...)
}

// readEvent checks one event and makes it one of ours. The host that a port is bound to is the node.
func readEvent(item any) (ingot.Event, error) {
	object, ok := item.(map[string]any)
	if !ok {
		return ingot.Event{}, schemaError("evts", "%s is not of type 'object'", repr(item))
	}
	keys := eventKeys()
	var unexpected []string
	for name := range object {
		if !slices.ContainsFunc(keys, func(k eventKey) bool { return k.name == name }) {
			unexpected = append(unexpected, name)
		}
	}
	if len(unexpected) > 0 {
		return ingot.Event{}, unexpectedError("evts", unexpected)
	}
	for _, key := range keys {
		if err := key.check(object); err != nil {
			return ingot.Event{}, err
		}
	}
	e := ingot.Event{Type: ingot.Text(object, "event"), Data: object}
	e.Node, _ = canonicalUUID(ingot.Text(object, "binding:host_id"))
	return e, nil
}

func (k eventKey) check(object map[string]any) error {
	v, given := object[k.name]
	text, isText := v.(string)
	switch {
	case !given && k.required:
		return schemaError("evts", "'%s' is a required property", k.name)
	case !given, v == nil && k.null:
		return nil
	case !isText && k.null:
		return schemaError("evts", "%s is not of type 'string', 'null'", repr(v))
	case !isText:
		return schemaError("evts", "%s is not of type 'string'", repr(v))
	case k.form != nil && !k.form(text):
		return schemaError("evts", k.wrong, repr(v))
	}
	return nil
}
