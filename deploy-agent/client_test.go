package main_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// do sends a request to the agent as Ingot's conductor would.
func (a *agent) do(t *testing.T, method, path string, query url.Values, body any) (int, map[string]any) {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(a.ca)))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}, Timeout: time.Minute}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	if query == nil {
		query = url.Values{}
	}
	query.Set("agent_token", token)
	req, err := http.NewRequest(method, a.url+path+"?"+query.Encode(), bytes.NewReader(text))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(answer, &m), string(answer))
	return resp.StatusCode, m
}

// call runs a command and gives its record.
func (a *agent) call(t *testing.T, name string, params map[string]any, wait bool) map[string]any {
	t.Helper()
	code, m := a.do(t, "POST", "/v1/commands/", url.Values{"wait": {strconv.FormatBool(wait)}}, map[string]any{"name": name, "params": params})
	require.Equal(t, 200, code, "%v", m)
	return m
}
