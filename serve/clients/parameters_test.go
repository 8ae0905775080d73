package clients_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnknownParameters: no route takes a parameter that it does not know, as Ironic has it, and none does anything then.
func TestUnknownParameters(t *testing.T) {
	t.Parallel()
	s := start(t)
	furnish(t, s)
	for _, pattern := range s.API.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if !strings.HasPrefix(path, "/v1/") {
			continue // discovery and probes
		}
		path = parameter.ReplaceAllStringFunc(path, func(p string) string {
			if there := things()[p]; len(there) > 0 {
				return there[0]
			}
			return "x"
		})
		var body any
		if good, ok := bodies()[pattern]; ok {
			body = good
		} else if method == "PATCH" {
			body = []object{{"op": "add", "path": "/extra/seen", "value": true}}
		}
		separator := "?"
		if strings.HasSuffix(path, "/vendor_passthru") {
			separator = "?method=x&"
		}
		a := s.call(t, method, path+separator+"nope=1", "1.115", body)
		require.Equal(t, 400, a.StatusCode, "%s: %s", pattern, a.text)
		require.Equal(t, "Unexpected arguments: nope", a.fault(), pattern)
	}
	for _, path := range []string{nodes + uuid(1), "/v1/ports/" + uuid(21), "/v1/portgroups/" + uuid(22), "/v1/chassis/" + uuid(20)} {
		text, err := json.Marshal(s.must(t, 200, "GET", path, nil).body["extra"])
		require.NoError(t, err)
		require.JSONEq(t, "{}", string(text), path)
	}
}
