package agent_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/agent"
)

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, ingot.Fatal(errors.New("no room")) }

// TestReadDisk: a disk that comes whole is written, and one that does not is an error that says so, and whether it passes.
func TestReadDisk(t *testing.T) {
	disk := make([]byte, 1<<20)
	copy(disk[700<<10:], strings.Repeat("marker ", 1000))
	answer := func(whole bool) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			to := ingot.NewDiskSender(w)
			_ = to.Send(700<<10, disk[700<<10:800<<10]) // a client that hangs up is what some of these test
			if !whole {
				panic(http.ErrAbortHandler)
			}
			_ = to.End(int64(len(disk)))
		}
	}
	refuse := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, status) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		full   bool
		code   ingot.Code
		fatal  bool
		text   string
	}{
		"whole":     {answer: answer(true)},
		"cut off":   {answer: answer(false), text: "cannot read the disk"},
		"no room":   {answer: answer(true), full: true, fatal: true, text: "no room"},
		"not ours":  {answer: refuse(404, `{"faultstring": "404 Not Found"}`), code: ingot.Unsupported, fatal: true, text: "the ramdisk is not Ingot's"},
		"too large": {answer: refuse(400, `{"faultstring": "it does not fit"}`), fatal: true, text: "it does not fit"},
		"broken":    {answer: refuse(500, `{"faultstring": "input/output error"}`), text: "input/output error"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.RequestURI()
				c.answer(w, r)
			}))
			defer server.Close()
			node := &ingot.Node{Agent: ingot.Agent{
				URL: server.URL, Token: "secret", CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})),
			}}
			var got bytes.Buffer
			var into io.Writer = &got
			if c.full {
				into = full{}
			}
			err := new(agent.Client).ReadDisk(t.Context(), node, ingot.DiskWish{Size: int64(len(disk)), WithoutConfigDrive: true}, into)
			require.Equal(t, "/v1/disk?agent_token=secret&size=1048576&without_config_drive=true", asked)
			if c.text == "" {
				require.NoError(t, err)
				require.True(t, bytes.Equal(disk, got.Bytes()))
				return
			}
			require.ErrorContains(t, err, c.text)
			require.Equal(t, c.fatal, ingot.IsFatal(err))
			require.True(t, c.code == "" || c.code == ingot.CodeOf(err), "%v", err)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}
