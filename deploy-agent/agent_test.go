package main_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	nodeUUID = "5b0f5d6e-3c9a-4f0c-9a6e-2f4b6c1d7e80"
	token    = "0123456789abcdef0123456789abcdef0123456789a"
	mac      = "52:54:00:00:00:01"
)

// conductor is the little of Ironic that an agent needs to see, and an image server.
type conductor struct {
	*httptest.Server
	mu         sync.Mutex
	heartbeats []map[string]string
	inspection []byte
	files      map[string][]byte
}

func startConductor(t *testing.T) *conductor {
	t.Helper()
	c := &conductor{files: map[string][]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"default_version":{"version":"1.82"}}`))
	})
	mux.HandleFunc("GET /v1/lookup", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("addresses") != mac {
			http.Error(w, "{}", http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"node":{"uuid":"` + nodeUUID + `","properties":{},"instance_info":{}},"config":{"heartbeat_timeout":300,"agent_token":"` + token + `"}}`))
	})
	mux.HandleFunc("POST /v1/heartbeat/"+nodeUUID, func(w http.ResponseWriter, r *http.Request) {
		var beat map[string]string
		_ = json.NewDecoder(r.Body).Decode(&beat)
		c.mu.Lock()
		c.heartbeats = append(c.heartbeats, beat)
		c.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("POST /v1/continue_inspection", func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		c.mu.Lock()
		c.inspection = b.Bytes()
		c.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"uuid":"` + nodeUUID + `"}`))
	})
	mux.HandleFunc("GET /files/{name}", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		content, ok := c.files[r.PathValue("name")]
		c.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// serve puts a file on the server and gives its URL and SHA-256.
func (c *conductor) serve(name string, content []byte) (url, sum string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[name] = content
	digest := sha256.Sum256(content)
	return c.URL + "/files/" + name, hex.EncodeToString(digest[:])
}

func (c *conductor) beats() []map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]map[string]string(nil), c.heartbeats...)
}

// agent is a running agent process.
type agent struct {
	*exec.Cmd
	url, ca string
	log     *bytes.Buffer
}

// build compiles the agent once for all tests, into folder, which TestMain makes and removes.
var (
	folder string
	build  = sync.OnceValues(func() (string, error) {
		path := filepath.Join(folder, "deploy-agent")
		cmd := exec.Command("go", "build", "-o", path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
		return path, nil
	})
)

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "deploy-agent-test"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// launch starts an agent on the folder and waits for its first heartbeat.
func (c *conductor) launch(t *testing.T, dir string, more ...string) *agent {
	t.Helper()
	path, err := build()
	require.NoError(t, err)
	a := &agent{log: &bytes.Buffer{}}
	a.Cmd = exec.Command(path, append([]string{"--sim", dir, "--mac", mac, "--api-url", c.URL}, more...)...)
	a.Stderr = a.log
	seen := len(c.beats())
	require.NoError(t, a.Start())
	t.Cleanup(func() {
		_ = a.Process.Kill()
		_ = a.Wait()
		if t.Failed() {
			t.Log(a.log.String())
		}
	})
	require.Eventually(t, func() bool { return len(c.beats()) > seen }, 30*time.Second, 5*time.Millisecond, "no heartbeat")
	beat := c.beats()[seen]
	require.Equal(t, token, beat["agent_token"])
	a.url, a.ca = beat["callback_url"], beat["agent_verify_ca"]
	require.True(t, strings.HasPrefix(a.url, "https://127.0.0.1:"), a.url)
	return a
}

// machine makes a folder with a disk of size bytes.
func machine(t *testing.T, size int64) (dir, disk string) {
	t.Helper()
	dir = t.TempDir()
	disk = filepath.Join(dir, "disk0.img")
	require.NoError(t, os.WriteFile(disk, nil, 0o644))
	require.NoError(t, os.Truncate(disk, size))
	return dir, disk
}

func TestWithoutAMachine(t *testing.T) {
	path, err := build()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing":  {nil, "give --sim DIR or --disk FILE"},
		"no disk":  {[]string{"--sim", t.TempDir()}, "there is no disk"},
		"no API":   {[]string{"--disk", os.Args[0]}, "nobody to talk to"},
		"give up":  {[]string{"--disk", os.Args[0], "--mac", mac, "--api-url", "http://127.0.0.1:1", "--give-up", "1ns"}, "giving up"},
		"bad flag": {[]string{"--nope"}, "unknown flag"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(path, c.args...).CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), c.want)
		})
	}
}

func TestInspection(t *testing.T) {
	c := startConductor(t)
	dir, disk := machine(t, 5<<30)
	c.launch(t, dir, "--inspection-url", c.URL+"/v1/continue_inspection", "--cmdline", "ipa-inspection-collectors=default,nope,logs BOOTIF=01-52-54-00-00-00-01")
	var sent struct {
		Inventory struct {
			Interfaces []map[string]any `json:"interfaces"`
			Disks      []map[string]any `json:"disks"`
		} `json:"inventory"`
		RootDisk      map[string]any `json:"root_disk"`
		BootInterface string         `json:"boot_interface"`
		Logs, Error   string
	}
	require.NoError(t, json.Unmarshal(c.inspection, &sent))
	require.Equal(t, mac, sent.Inventory.Interfaces[0]["mac_address"])
	require.Equal(t, disk, sent.RootDisk["name"])
	require.Equal(t, "01-52-54-00-00-00-01", sent.BootInterface)
	require.Contains(t, sent.Error, "collector nope failed")
	require.NotEmpty(t, sent.Logs)
}

func TestPowerOffAndReboot(t *testing.T) {
	for command, status := range map[string]int{"power_off": 0, "run_image": 64} {
		t.Run(command, func(t *testing.T) {
			c := startConductor(t)
			dir, _ := machine(t, 5<<30)
			a := c.launch(t, dir)
			got := a.call(t, "standby."+command, map[string]any{}, true)
			require.Equal(t, "SUCCEEDED", got["command_status"])
			state, err := a.Process.Wait()
			require.NoError(t, err)
			require.Equal(t, status, state.ExitCode())
		})
	}
}
