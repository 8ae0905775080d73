package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// answer is what the API said.
type answer struct {
	*http.Response
	text string
	body map[string]any
}

// fault is the sentence of an error, out of its double encoding.
func (a answer) fault() string {
	outer, _ := a.body["error_message"].(string)
	if outer == "" {
		s, _ := a.body["faultstring"].(string)
		return s
	}
	var inner map[string]any
	if json.Unmarshal([]byte(outer), &inner) != nil {
		return "not JSON: " + outer
	}
	if s, ok := inner["faultstring"].(string); ok {
		return s
	}
	s, _ := inner["description"].(string)
	return s
}

// call asks the API. Words after the body are headers, "Name: value"; the version is 1.115 unless one says otherwise.
func (s *service) call(t testing.TB, method, path string, body any, headers ...string) answer {
	t.Helper()
	var in io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		require.NoError(t, err)
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, in)
	require.NoError(t, err)
	req.Header.Set("X-OpenStack-Ironic-API-Version", "1.115")
	req.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ":")
		req.Header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			req.Header.Set(name, value)
		}
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	a := answer{Response: res, text: string(text)}
	if len(text) > 0 && text[0] == '{' && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		require.NoError(t, json.Unmarshal(text, &a.body), "%s %s answered %s", method, path, text)
	}
	return a
}

// version is a header that asks for a microversion.
func version(v string) string { return "X-OpenStack-Ironic-API-Version: " + v }

// must is call for an answer that has to have the status.
func (s *service) must(t testing.TB, status int, method, path string, body any, headers ...string) answer {
	t.Helper()
	a := s.call(t, method, path, body, headers...)
	require.Equal(t, status, a.StatusCode, "%s %s: %s", method, path, a.text)
	return a
}

// enrol makes a node and gives its UUID; name may be "".
func (s *service) enrol(t testing.TB, name string) string {
	t.Helper()
	node := map[string]any{"driver": "fake-hardware"}
	if name != "" {
		node["name"] = name
	}
	a := s.must(t, 201, "POST", "/v1/nodes", node)
	uuid, _ := a.body["uuid"].(string)
	return uuid
}
