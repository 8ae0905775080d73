package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// TestResource goes through the life of a thing whose fields the client does not know.
func TestResource(t *testing.T) {
	t.Parallel()
	c, _ := start(t)
	ctx, nodes := t.Context(), c.Resource("nodes")
	for _, name := range []string{"a", "b", "c"} {
		made, err := nodes.Create(ctx, map[string]any{"driver": "fake-hardware", "name": name})
		require.NoError(t, err)
		require.Equal(t, name, made["name"])
	}
	all, err := nodes.List(ctx, url.Values{"fields": {"name"}, "sort_key": {"name"}})
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.NotContains(t, all[0], "driver")
	two, err := nodes.List(ctx, url.Values{"limit": {"2"}})
	require.NoError(t, err)
	require.Len(t, two, 2, "the caller's limit ends the list")
	changed, err := nodes.Patch(ctx, "a", nil, client.Set("/extra/x", 1))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"x": 1.0}, changed["extra"])
	one, err := nodes.Get(ctx, "a", "extra")
	require.NoError(t, err)
	require.NotContains(t, one, "name")
	require.NoError(t, c.Resource("nodes", "a", "maintenance").Put(ctx, map[string]any{"reason": "x"}))
	require.NoError(t, c.Resource("nodes", "a", "maintenance").Remove(ctx, nil))
	require.NoError(t, nodes.Delete(ctx, "a"))
	_, err = nodes.Get(ctx, "a")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
}

// TestResourcePages: a list is read to its end by the URLs of its pages; what is no list is said.
func TestResourcePages(t *testing.T) {
	t.Parallel()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+"?"+r.URL.RawQuery)
		answer := `{"runbooks": [{"name": "b"}]}`
		switch {
		case r.URL.Path == "/v1/nodes/a b/traits":
			answer = `{"traits": ["CUSTOM_A"]}`
		case r.URL.Path == "/v1/odd":
			answer = `{"even": []}`
		case !r.URL.Query().Has("marker"):
			answer = `{"runbooks": [{"name": "a"}], "next": "http://elsewhere/v1/runbooks?limit=1&marker=a&detail=true"}`
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	c := &client.Client{BaseURL: server.URL}
	all, err := c.Resource("runbooks").List(t.Context(), url.Values{"detail": {"true"}})
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{"name": "a"}, {"name": "b"}}, all)
	traits, err := c.Resource("nodes", "a b", "traits").List(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{"trait": "CUSTOM_A"}}, traits)
	_, err = c.Resource("odd").List(t.Context(), nil)
	require.EqualError(t, err, "cannot read the answer to GET /v1/odd: it has no list called odd")
	require.Equal(t, []string{"/v1/runbooks?detail=true", "/v1/runbooks?detail=true&marker=a", "/v1/nodes/a b/traits?", "/v1/odd?"}, asked)
}
