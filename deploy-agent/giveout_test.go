package main_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// disk asks the agent for its disk.
func (a *agent) disk(t *testing.T, query string) (int, []byte) {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(a.ca)))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	response, err := client.Get(a.url + "/v1/disk?" + query)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, body
}

// TestGiveOut: the disk comes as it is, for a disk of another size, to who has the token, and nothing comes of one that does
// not fit.
func TestGiveOut(t *testing.T) {
	raw, _ := osImage(t)
	c := startConductor(t)
	dir, path := machine(t, 5<<30)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(raw, 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	a := c.launch(t, dir)

	status, body := a.disk(t, "agent_token="+token+"&size=209715200")
	require.Equal(t, 200, status, "%s", body)
	require.Less(t, len(body), 20<<20, "zeros are not sent")
	var got bytes.Buffer
	require.NoError(t, ingot.ReceiveDisk(bytes.NewReader(body), 200<<20, &got))
	require.Equal(t, 200<<20, got.Len())
	require.True(t, bytes.Equal(raw[1<<20:79<<20], got.Bytes()[1<<20:79<<20]))
	require.NoError(t, os.WriteFile(path+".copy", got.Bytes(), 0o600))
	shell(t, "sgdisk", "-v", path+".copy")
	require.Equal(t, "EFI PART", string(got.Bytes()[200<<20-512:][:8]), "the backup table is at the end")

	for query, want := range map[string]struct {
		status int
		text   string
	}{
		"size=209715200":                            {401, "Token invalid"},
		"agent_token=x&size=209715200":              {401, "Token invalid"},
		"agent_token=" + token:                      {400, "size is not a number"},
		"agent_token=" + token + "&size=-1":         {400, "size is not a number"},
		"agent_token=" + token + "&size=1048576000": {200, ""},
		"agent_token=" + token + "&size=52428800":   {400, "its last partition ends at"},
	} {
		status, body := a.disk(t, query)
		require.Equal(t, want.status, status, "%s: %.200s", query, body)
		require.Contains(t, string(body), want.text)
	}
}
