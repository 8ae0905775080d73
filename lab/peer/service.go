package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// version is a microversion that both speak.
const version = "1.78"

// patience bounds one request, and one wait for nodes.
const patience = 2 * time.Minute

// service is one of the two that are compared.
type service struct {
	name, url string
	http      *http.Client
	uuids     []string // nodes that it was filled with
	made      int      // counts the names given
	groups    []int    // process groups
	wires     []wire   // see dial
}

func newService(name, url string) *service {
	return &service{name: name, url: url, http: &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64},
	}}
}

// leads names the processes of the service, with commas between them; 0 and nothing are none.
func (s *service) leads(pids string) error {
	for pid := range strings.SplitSeq(pids, ",") {
		group, err := strconv.Atoi(strings.TrimSpace(pid))
		switch {
		case pid == "" || pid == "0":
		case err != nil || group <= 1:
			return fmt.Errorf("%s: %q is no process id", s.name, pid)
		default:
			s.groups = append(s.groups, group)
		}
	}
	return nil
}

// still sends the service's processes the signal to stop or to go on.
func (s *service) still(signal syscall.Signal) {
	for _, group := range s.groups {
		syscall.Kill(-group, signal) //nolint:errcheck // one that is gone fails its next request
	}
}

// call sends a request and reads the answer whole; a lock or a limit is asked again, as clients do. It decodes into out
// unless that is nil.
func (s *service) call(ctx context.Context, method, path string, body, out any) error {
	for try := 0; ; try++ {
		status, text, err := s.once(ctx, method, path, body)
		switch {
		case err != nil:
			return err
		case status == http.StatusConflict || status == http.StatusServiceUnavailable:
			if try == 600 {
				return fmt.Errorf("%s %s: still %d: %s", method, path, status, text)
			}
			time.Sleep(100 * time.Millisecond)
			continue
		case status >= 300:
			return fmt.Errorf("%s %s: %d: %s", method, path, status, text)
		case out == nil:
			return nil
		}
		return json.Unmarshal(text, out)
	}
}

func (s *service) once(ctx context.Context, method, path string, body any) (int, []byte, error) {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, in)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-OpenStack-Ironic-API-Version", version)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, text, err
}

// create makes a fake node and gives its UUID.
func (s *service) create(ctx context.Context, name, class string) (string, error) {
	var node struct {
		UUID string `json:"uuid"`
	}
	err := s.call(ctx, "POST", "/v1/nodes", map[string]any{
		"name": name, "driver": "fake-hardware", "resource_class": class,
		"driver_info": map[string]any{"note": "192.0.2.1"}, "properties": map[string]any{"cpu_arch": "x86_64", "memory_mb": 8192},
	}, &node)
	return node.UUID, err
}

// fill makes nodes until there are n.
func (s *service) fill(ctx context.Context, n int) error {
	var mu sync.Mutex
	return parallel(8, max(0, n-len(s.uuids)), func(i int) error {
		uuid, err := s.create(ctx, s.nextName(&mu), "filled")
		mu.Lock()
		defer mu.Unlock()
		s.uuids = append(s.uuids, uuid)
		return err
	})
}

func (s *service) nextName(mu *sync.Mutex) string {
	mu.Lock()
	defer mu.Unlock()
	s.made++
	return fmt.Sprintf("peer-%d-%d", time.Now().UnixNano(), s.made)
}

// parallel does n things over some connections at a time; the first error ends it.
func parallel(connections, n int, do func(i int) error) error {
	var next atomic.Int64
	errs := make(chan error, connections)
	for range connections {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					errs <- nil
					return
				}
				if err := do(i); err != nil {
					next.Store(int64(n))
					errs <- err
					return
				}
			}
		}()
	}
	var first error
	for range connections {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}
