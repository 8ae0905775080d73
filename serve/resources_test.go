package serve_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/serve"
)

// call asks the service's API for JSON, at the latest version.
func call(t *testing.T, app *serve.App, method, path string, body any) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+app.APIAddress()+path, bytes.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("X-OpenStack-Ironic-API-Version", "latest")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // read whole
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Less(t, res.StatusCode, 300, "%s %s: %s", method, path, data)
	var answer map[string]any
	if len(data) > 0 {
		require.NoError(t, json.Unmarshal(data, &answer))
	}
	return answer
}

// TestAllocateAndDeployByTrait: the parts are put together: rules, those of the file too, see what inspection found, a
// runbook cleans, an allocation finds the node, and the deploy gets the steps of its trait's template.
func TestAllocateAndDeployByTrait(t *testing.T) {
	cfg := devConfig(t.TempDir())
	cfg.Conduct.InspectionRules = filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(cfg.Conduct.InspectionRules, []byte("- actions: [{op: set-attribute, args: {path: resource_class, value: 'cpus-{inventory[cpu][count]}'}}]\n"), 0o600))
	app := runWith(t, cfg)
	until := func(path, field string, want any) map[string]any {
		t.Helper()
		var got map[string]any
		require.Eventually(t, func() bool {
			got = call(t, app, "GET", path, nil)
			return got[field] == want
		}, 30*time.Second, 10*time.Millisecond, "%s never became %v", field, want)
		return got
	}
	verb := func(body map[string]any, state string) map[string]any {
		t.Helper()
		call(t, app, "PUT", "/v1/nodes/n1/states/provision", body)
		return until("/v1/nodes/n1", "provision_state", state)
	}
	call(t, app, "POST", "/v1/nodes", map[string]any{"driver": "fake-hardware", "name": "n1"})
	call(t, app, "POST", "/v1/inspection_rules", map[string]any{"actions": []any{map[string]any{"op": "add-trait", "args": map[string]any{"name": "CUSTOM_ERASE"}}}})
	step := map[string]any{"interface": "deploy", "step": "erase_devices_metadata", "args": map[string]any{}, "order": 1}
	call(t, app, "POST", "/v1/runbooks", map[string]any{"name": "book", "steps": []any{step}})
	call(t, app, "PUT", "/v1/runbooks/book/traits/CUSTOM_ERASE", nil)
	delete(step, "order")
	step["priority"] = 70
	call(t, app, "POST", "/v1/deploy_templates", map[string]any{"name": "CUSTOM_ERASE", "steps": []any{step}})

	verb(map[string]any{"target": "manage"}, "manageable")
	call(t, app, "PUT", "/v1/nodes/n1/states/provision", map[string]any{"target": "inspect"})
	require.Equal(t, []any{"CUSTOM_ERASE"}, until("/v1/nodes/n1", "resource_class", "cpus-4")["traits"])
	until("/v1/nodes/n1", "provision_state", "manageable")
	verb(map[string]any{"target": "clean", "runbook": "book"}, "manageable")
	verb(map[string]any{"target": "provide"}, "available")
	a := call(t, app, "POST", "/v1/allocations", map[string]any{"name": "a1", "resource_class": "cpus-4", "traits": []any{"CUSTOM_ERASE"}})
	until("/v1/allocations/a1", "state", "active")
	require.Equal(t, a["uuid"], call(t, app, "GET", "/v1/nodes/n1", nil)["instance_uuid"])
	verb(map[string]any{"target": "active"}, "active")
	node, err := app.Store.Node(t.Context(), "n1")
	require.NoError(t, err)
	ops, err := app.Store.Operations(t.Context(), node.UUID, 1)
	require.NoError(t, err)
	steps, err := app.Store.Steps(t.Context(), ops[0].UUID)
	require.NoError(t, err)
	require.Len(t, steps, 3)
	require.Equal(t, "template", steps[1].Source)
}
