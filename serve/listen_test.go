package serve

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStoppingLetsRequestsEnd: a request that is under way when the service is told to stop is answered as ever, and one
// that goes on for too long is told to end and can still answer.
func TestStoppingLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	for name, long := range map[string]bool{"soon": false, "for as long as it may": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := listen("127.0.0.1:0")
			require.NoError(t, err)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			here, goOn, served := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				served <- serveHTTP(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					close(here)
					if long {
						<-r.Context().Done()
						w.WriteHeader(http.StatusServiceUnavailable)
					} else {
						<-goOn
						require.NoError(t, r.Context().Err())
					}
				}), l)
			}()
			answered := make(chan int, 1)
			go func() {
				req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String(), nil)
				if err == nil {
					var res *http.Response
					if res, err = http.DefaultClient.Do(req); err == nil {
						_, _ = io.Copy(io.Discard, res.Body)
						res.Body.Close()
						answered <- res.StatusCode
						return
					}
				}
				t.Error(err)
				answered <- 0
			}()
			<-here
			stop()
			require.Empty(t, answered)
			close(goOn)
			want := http.StatusOK
			if long {
				want = http.StatusServiceUnavailable
			}
			require.Equal(t, want, <-answered)
			require.NoError(t, <-served)
		})
	}
}
