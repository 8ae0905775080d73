package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/api/client/live"
)

// screen is what a view writes to.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// stream answers with events, then keeps the connection open; a second listener has to name the last one.
func stream(t *testing.T, asked chan<- string) *client.Client {
	t.Helper()
	events := []string{
		`{"id":1,"type":"node.state","node":"n","data":{"to":"deploying"}}`,
		`{"id":2,"type":"operation.step","node":"n","data":{"kind":"deploy","step":"run-steps"}}`,
		`{"id":3,"type":"node.progress","node":"n","data":{"command":"prepare_image","phase":"write","done":12000000,"total":300000000,"rate":25000000}}`,
		`{"id":4,"type":"node.boot","node":"n","data":{"what":"offered 10.77.0.7"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RawQuery
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		if !r.URL.Query().Has("after") {
			for _, e := range events[:3] {
				fmt.Fprintf(w, "data: %s\n\n", e)
			}
			return // the service was restarted
		}
		fmt.Fprintf(w, "data: %s\n\n", events[3])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return &client.Client{BaseURL: server.URL}
}

func TestViewFollowsEvents(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{false, true} {
		t.Run(fmt.Sprint("terminal ", terminal), func(t *testing.T) {
			t.Parallel()
			out, asked := &screen{}, make(chan string, 10)
			view := &live.View{Out: out, Terminal: terminal}
			api := stream(t, asked)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			view.Begin("deploy")
			go func() {
				defer close(done)
				view.Follow(ctx, api, "node-0")
			}()
			require.Eventually(t, func() bool { return strings.Contains(out.String(), "offered 10.77.0.7") }, time.Minute, time.Millisecond)
			cancel()
			<-done
			view.End(errors.New("no"))
			require.Equal(t, "node=node-0", <-asked)
			require.Equal(t, "after=3&node=node-0", <-asked, "nothing is missed and nothing comes twice")
			if terminal {
				require.Regexp(t, `\r\x1b\[Kdeploy +[0-9.]+ s  failed\n$`, out.String())
				return
			}
			for _, words := range []string{"== deploy\n", "s  deploying", "s  deploy: run-steps", "s  prepare_image: write 12 of 300 MB, 25 MB/s", "failed after"} {
				require.Contains(t, out.String(), words)
			}
			require.Regexp(t, `(?m)^deploy +[0-9.]+$`, view.Table())
		})
	}
}

func TestViewShowsBuilders(t *testing.T) {
	t.Parallel()
	out := &screen{}
	view := &live.View{Out: out}
	view.Begin("image")
	view.Log().Info("image stage done", "stage", "packages", "seconds", 12.345)
	view.Log().Debug("nobody asked")
	view.End(nil)
	require.Contains(t, out.String(), "image stage done, stage packages, seconds 12.3")
	require.NotContains(t, out.String(), "nobody asked")
}
