package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/api"
)

// TestDocs: the document and its page are for everybody, and the page shows every operation and fetches nothing.
func TestDocs(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) { a.Auth = deny{} })
	a := s.must(t, 200, "GET", "/openapi.yaml", nil)
	require.Equal(t, "application/yaml", a.Header.Get("Content-Type"))
	require.Contains(t, a.text, "openapi: ")
	page := s.must(t, 200, "GET", "/docs", nil)
	require.Contains(t, page.Header.Get("Content-Type"), "text/html")
	for _, rt := range api.AllRoutes(api.Everything()) {
		require.Contains(t, page.text, ">"+rt.Method+"</b><code>"+rt.Path+"</code>", "the page does not show it: its tag in openapi.yaml has to be one of the list of tags")
	}
	for _, outside := range []string{"http://", "https://", "src=", "@import"} {
		require.NotContains(t, page.text, outside)
	}
	require.Greater(t, strings.Count(page.text, "<details"), 100)
}
