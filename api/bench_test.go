package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// BenchmarkListNodes is a full page of nodes, from the request to its last byte, in the short form and in the long one.
func BenchmarkListNodes(b *testing.B) {
	s := start(b)
	var last string
	for i := range 1000 {
		node := ingot.Node{
			Name: fmt.Sprintf("n%d", i), Driver: "ipmi", ProvisionState: ingot.Available,
			DriverInfo: map[string]any{"ipmi_address": "192.0.2.1", "ipmi_username": "admin"}, Properties: map[string]any{"cpu_arch": "x86_64"},
		}
		require.NoError(b, s.Store.CreateNode(b.Context(), &node, nil))
		last = node.UUID
	}
	handler := s.Handler()
	for name, path := range map[string]string{"short": "/v1/nodes", "detail": "/v1/nodes/detail", "one": "/v1/nodes/" + last, "named": "/v1/nodes/n500"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, path, nil)
				r.Header.Set("X-OpenStack-Ironic-API-Version", "1.115")
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				require.Equal(b, 200, w.Code)
			}
		})
	}
}
