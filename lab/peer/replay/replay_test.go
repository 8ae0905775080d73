package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScriptsAreRead: every line of every file is a request.
func TestScriptsAreRead(t *testing.T) {
	t.Parallel()
	n := 0
	for _, file := range scripts() {
		asks, err := read(file)
		require.NoError(t, err)
		require.NotEmpty(t, asks, file)
		for _, a := range asks {
			require.NotContains(t, a.path, "$", a.at)
			require.Contains(t, "GET HEAD POST PUT PATCH DELETE", a.method, a.at)
		}
		n += len(asks)
	}
	require.Greater(t, n, 1000)
	_, err := parse("x:1", "1.82", "GET nodes")
	require.ErrorContains(t, err, "x:1: cannot read the line")
}

func said(status int, text string, headers ...string) answer {
	a := answer{status: status, text: text, header: http.Header{}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		a.header.Set(name, value)
	}
	a.read()
	return a
}

// TestDifferencesAreFound plants one of each sort.
func TestDifferencesAreFound(t *testing.T) {
	t.Parallel()
	a := &ask{method: "GET", path: "/v1/nodes/nosuch?limit=x", version: "1.82"}
	fault := func(sentence string) string {
		return `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"` + sentence + `\", \"debuginfo\": null}"}`
	}
	for _, row := range []struct {
		theirs, ours answer
		found        string
	}{
		{said(200, `{"a": 1, "created_at": "x", "list": ["a", "b"]}`), said(200, `{"a": 1, "created_at": "y", "list": ["b", "a"]}`), ""},
		{said(200, `{}`), said(404, `{}`), "status: ironic 200"},
		{said(202, ``, "Location: BASE/a"), said(202, ``), "header: Location"},
		{said(200, `{"a": {"b": 1}}`), said(200, `{"a": {}}`), "keys: .a.b is ironic's only: 1"},
		{said(200, `{}`), said(200, `{"c": null}`), "keys: .c is ingot's only: null"},
		{said(200, `{"created_at": null}`), said(200, `{"created_at": "x"}`), `value: .created_at: ironic null, ingot "x"`},
		{said(200, `{"a": [{"b": 1}]}`), said(200, `{"a": []}`), "value: .a: ironic has 1, ingot 0"},
		{said(400, fault("Expected an integer for limit: x")), said(400, fault("limit has to be a number")), ""},
		{said(400, fault("Expected an integer for limit: x")), said(400, fault("that is no number")), "words: limit is not named"},
		{said(400, fault("x")), said(400, `{"faultcode": "Client", "faultstring": "x"}`), "shape: ironic [error_message][debuginfo faultcode faultstring]Client"},
	} {
		found := differences(a, row.theirs, row.ours)
		if row.found == "" {
			require.Empty(t, found)
			continue
		}
		require.Len(t, found, 1)
		require.Contains(t, found[0].String(), row.found)
	}
}

// TestKnownDifferences: a row is for its requests and its differences, and no others.
func TestKnownDifferences(t *testing.T) {
	t.Parallel()
	k := known{"status", "GET /v1/nodes*limit=x", "ironic 500*ingot 400", "why"}
	a := &ask{method: "GET", path: "/v1/nodes?limit=x"}
	require.True(t, k.fits(a, difference{"status", "ironic 500 x, ingot 400 y"}))
	require.False(t, k.fits(a, difference{"status", "ironic 400 x, ingot 500 y"}))
	require.False(t, k.fits(a, difference{"words", "ironic 500 x, ingot 400 y"}))
	require.False(t, k.fits(&ask{method: "PUT", path: "/v1/nodes?limit=x"}, difference{"status", "ironic 500 x, ingot 400 y"}))
}
