package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPostEvents: Neutron's events are checked, and told on.
func TestPostEvents(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	_, last, err := s.Store.Events(t.Context(), -1, 1)
	require.NoError(t, err)
	event := func(key string, v any) map[string]any {
		e := map[string]any{"event": "network.bind_port", "port_id": nobody, "mac_address": "de:ad:ca:fe:ba:be", "status": "ACTIVE", "binding:host_id": uuid}
		if key != "" {
			e[key] = v
		}
		return map[string]any{"events": []any{e}}
	}
	without := event("", nil)
	delete(without["events"].([]any)[0].(map[string]any), "status")
	for _, row := range []struct {
		body  any
		fault string
	}{
		{map[string]any{}, "Schema error for evts: 'events' is a required property"},
		{map[string]any{"events": []any{}}, "Schema error for evts: [] is too short"},
		{map[string]any{"events": map[string]any{}}, "Schema error for evts: {} is not of type 'array'"},
		{map[string]any{"events": []any{1}}, "Schema error for evts: 1 is not of type 'object'"},
		{`[]`, "Schema error for evts: [] is not of type 'object'"},
		{map[string]any{"events": []any{}, "more": 1}, "Schema error for evts: Additional properties are not allowed ('more' was unexpected)"},
		{event("event", "network.unknown"), "Schema error for evts: 'network.unknown' is not one of ['network.bind_port', 'network.unbind_port', 'network.delete_port']"},
		{event("port_id", "x"), "Schema error for evts: 'x' is not a 'uuid'"},
		{event("mac_address", "x"), "Schema error for evts: 'x' is not a 'mac-address'"},
		{event("device_id", "x"), "Schema error for evts: 'x' is not a 'uuid'"},
		{event("device_id", 1), "Schema error for evts: 1 is not of type 'string', 'null'"},
		{event("status", nil), "Schema error for evts: None is not of type 'string'"},
		{event("nope", 1), "Schema error for evts: Additional properties are not allowed ('nope' was unexpected)"},
		{without, "Schema error for evts: 'status' is a required property"},
	} {
		require.Equal(t, row.fault, s.must(t, 400, "POST", "/v1/events", row.body).fault(), "%v", row.body)
	}
	s.must(t, 404, "POST", "/v1/events", event("", nil), version("1.53"))
	s.must(t, 204, "POST", "/v1/events", event("device_id", nil))
	events, _, err := s.Store.Events(t.Context(), last, 10)
	require.NoError(t, err)
	require.Len(t, events, 1, "what was refused is not told on")
	require.Equal(t, "network.bind_port", events[0].Type)
	require.Equal(t, uuid, events[0].Node)
	require.Equal(t, "de:ad:ca:fe:ba:be", events[0].Data["mac_address"])
	require.NotContains(t, s.must(t, 200, "GET", "/v1", nil, version("1.53")).body, "events")
	require.Contains(t, s.must(t, 200, "GET", "/v1", nil, version("1.54")).body, "events")
}
