package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/agent"
	"github.com/ingot-metal/ingot/deploy-agent/internal/cmdline"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/console"
	"github.com/ingot-metal/ingot/deploy-agent/internal/report"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
)

const token = "0123456789abcdef0123456789abcdef0123456789a"

type machine struct{}

func (machine) Inventory() ingot.Inventory {
	return ingot.Inventory{Interfaces: machine{}.Interfaces(), Disks: machine{}.Disks()}
}

func (machine) Interfaces() []ingot.InventoryInterface {
	return []ingot.InventoryInterface{{Name: "eth0", MAC: "52:54:00:00:00:01"}}
}

func (machine) Disks() []ingot.InventoryDisk {
	return []ingot.InventoryDisk{{Name: "/dev/sda", Size: 5 << 30}}
}
func (machine) PCI() []map[string]string { return nil }

// hurry is a clock that was never set, on which short waits are over at once and those between heartbeats never.
type hurry struct{}

func (hurry) Now() time.Time { return time.Date(1970, 1, 1, 0, 10, 0, 0, time.UTC) }

func (hurry) After(d time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	if d < 80*time.Second {
		c <- time.Time{}
	}
	return c
}

// trouble is an API that fails a few times in each way before it works.
type trouble struct {
	mu    sync.Mutex
	left  map[string][]int // status codes to answer before success, by path
	asked []string
	beat  map[string]string
	done  chan struct{}
}

func (s *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Path)
	if codes := s.left[r.URL.Path]; len(codes) > 0 {
		s.left[r.URL.Path] = codes[1:]
		w.WriteHeader(codes[0])
		return
	}
	switch r.URL.Path {
	case "/":
		_, _ = io.WriteString(w, `{"default_version":{"version":"1.115"}}`)
	case "/v1/continue_inspection":
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"uuid":"u1"}`)
	case "/v1/lookup":
		if r.URL.Query().Get("node_uuid") != "u1" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = io.WriteString(w, `{"node":{"uuid":"u1","properties":{}},"config":{"heartbeat_timeout":300,"agent_token":"`+token+`"}}`)
	case "/v1/heartbeat/u1":
		w.WriteHeader(http.StatusAccepted)
		if s.beat == nil {
			_ = json.NewDecoder(r.Body).Decode(&s.beat)
			close(s.done)
		}
	}
}

func ready(t *testing.T, url string) (*agent.Agent, *time.Time) {
	t.Helper()
	ring := &console.Ring{Size: 1 << 20}
	log := console.Logger(io.Discard, ring, true)
	chooser := &target.Chooser{Disks: machine{}, Clock: hurry{}, Log: log}
	set := &time.Time{}
	return &agent.Agent{
		Options: cmdline.Parse("ipa-api-url=" + url + " ipa-inspection-collectors=default,logs ipa-advertise-host=127.0.0.1"),
		Network: machine{}, Chooser: chooser, Engine: &command.Engine{Log: log}, HTTP: http.DefaultClient, Clock: hurry{}, Log: log,
		Reporter: &report.Reporter{Machine: machine{}, RootDisk: chooser.Guess, Log: ring.Dump, Now: hurry{}.Now},
		Listen:   func(context.Context) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		SetClock: func(at time.Time) error { *set = at; return errors.New("not allowed here") },
	}, set
}

func TestFindsItsWay(t *testing.T) {
	s := &trouble{done: make(chan struct{}), left: map[string][]int{
		"/v1/continue_inspection": {503, 409}, "/v1/lookup": {404, 409, 500}, "/v1/heartbeat/u1": {409},
	}}
	server := httptest.NewServer(s)
	defer server.Close()
	a, set := ready(t, "http://127.0.0.1:1,"+server.URL)
	ctx, stop := context.WithCancelCause(context.Background())
	over := errors.New("over")
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	<-s.done
	stop(over)
	require.ErrorIs(t, <-ended, over)
	require.Equal(t, token, s.beat["agent_token"])
	require.Contains(t, s.beat["callback_url"], "https://127.0.0.1:")
	require.WithinDuration(t, time.Now(), *set, time.Minute, "a clock that was never set is set by the API's")
	require.Equal(t, []string{
		"/", "/v1/continue_inspection", "/v1/continue_inspection", "/v1/continue_inspection",
		"/v1/lookup", "/v1/lookup", "/v1/lookup", "/v1/lookup", "/v1/heartbeat/u1", "/v1/heartbeat/u1",
	}, s.asked)
}

func TestSaysWhyItCannotStart(t *testing.T) {
	a, _ := ready(t, "http://127.0.0.1:1")
	a.Options.APIURLs = nil
	require.ErrorIs(t, a.Run(context.Background()), agent.ErrNothingToDo)
}

func TestRingKeepsTheEnd(t *testing.T) {
	ring := &console.Ring{Size: 10}
	for range 100 {
		_, err := ring.Write([]byte("abcdefg"))
		require.NoError(t, err)
	}
	var out bytes.Buffer
	require.NoError(t, ring.Dump(&out))
	require.Equal(t, "efgabcdefg", out.String())
	log := console.Logger(io.Discard, ring, false)
	log.Log(context.Background(), slog.LevelDebug, "unseen")
	out.Reset()
	require.NoError(t, ring.Dump(&out))
	require.Equal(t, "efgabcdefg", out.String())
}
