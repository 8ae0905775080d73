package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// workload is one thing that is measured: run gives its figure, a rate or a time.
type workload struct {
	name   string
	unit   string // "/s", "ms" or "s"
	lower  bool   // less is better
	wanted float64
	run    func(ctx context.Context, s *service) (float64, error)
}

func (w *workload) show(figure float64) string { return fmt.Sprintf("%.1f %s", figure, w.unit) }

// workloads are all that is measured on services with a thousand nodes.
func workloads(cycled int) []workload {
	return append(reading(),
		workload{"POST /v1/nodes, 8 connections", "/s", false, 15, creates},
		workload{"PATCH /v1/nodes/{uuid}, 8", "/s", false, 40, patches},
		workload{fmt.Sprintf("%d nodes: the four verbs", cycled), "s", true, 10, func(ctx context.Context, s *service) (float64, error) { return cycle(ctx, s, cycled) }},
	)
}

// reading are those that change nothing.
func reading() []workload {
	return []workload{
		{"GET /v1/nodes/{uuid}, 16, rate", "/s", false, 40, func(ctx context.Context, s *service) (float64, error) {
			rate, _, err := gets(ctx, s)
			return rate, err
		}},
		{"GET /v1/nodes/{uuid}, 16, p99", "ms", true, 10, func(ctx context.Context, s *service) (float64, error) {
			_, p99, err := gets(ctx, s)
			return p99, err
		}},
		{"GET /v1/nodes?limit=1000", "ms", true, 10, timed("/v1/nodes?limit=1000")},
		{"GET /v1/nodes/detail?limit=1000", "ms", true, 10, timed("/v1/nodes/detail?limit=1000")},
	}
}

// next is the link to the page after this one, of the last of a list's own fields.
var next = regexp.MustCompile(`"next": ?("[^"]+")`)

// walk goes over all nodes, a page at a time, by the links to the next page; what a client makes of the pages is not
// measured.
func walk() workload {
	return workload{"all pages of 1000, with detail", "s", true, 10, func(ctx context.Context, s *service) (float64, error) {
		start, path := time.Now(), "/v1/nodes/detail?limit=1000"
		for pages := 1; ; pages++ {
			status, text, err := s.once(ctx, "GET", path, nil)
			if err != nil || status != http.StatusOK {
				return 0, fmt.Errorf("GET %s: %d: %s %w", path, status, text, err)
			}
			links := next.FindAllSubmatch(text[max(0, len(text)-1000):], -1)
			if links == nil {
				links = next.FindAllSubmatch(text[:min(len(text), 1000)], -1)
			}
			if links == nil {
				return time.Since(start).Seconds(), enough(pages, len(s.uuids))
			}
			var link string
			if err := json.Unmarshal(links[len(links)-1][1], &link); err != nil {
				return 0, err
			}
			path = strings.TrimPrefix(link, s.url)
		}
	}}
}

// enough is an error when a walk has seen fewer pages than the nodes fill.
func enough(pages, nodes int) error {
	if pages < nodes/1000 {
		return fmt.Errorf("the walk ended after %d pages, with %d nodes", pages, nodes)
	}
	return nil
}

// gets reads random nodes over 16 connections for two seconds: how many a second, and the 99th percentile in ms.
func gets(ctx context.Context, s *service) (rate, p99 float64, err error) {
	const connections, lasting = 16, 2 * time.Second
	if err := s.dial(ctx, connections); err != nil {
		return 0, 0, err
	}
	var mu sync.Mutex
	var took []time.Duration
	start := time.Now()
	err = parallel(connections, connections, func(i int) error {
		var mine []time.Duration
		w := &s.wires[i]
		for time.Since(start) < lasting {
			began := time.Now()
			if err := w.get(ctx, "/v1/nodes/"+s.uuids[rand.IntN(len(s.uuids))]); err != nil {
				return err
			}
			mine = append(mine, time.Since(began))
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, mine...)
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	elapsed := time.Since(start).Seconds()
	slices.Sort(took)
	return float64(len(took)) / elapsed, float64(took[len(took)*99/100].Microseconds()) / 1000, nil
}

// timed gets a path once, in ms.
func timed(path string) func(context.Context, *service) (float64, error) {
	return func(ctx context.Context, s *service) (float64, error) {
		start := time.Now()
		err := s.call(ctx, "GET", path, nil, nil)
		return float64(time.Since(start).Microseconds()) / 1000, err
	}
}

// creates makes 200 nodes over 8 connections and deletes them, which is not measured.
func creates(ctx context.Context, s *service) (float64, error) {
	const n = 200
	var mu sync.Mutex
	made := make([]string, n)
	start := time.Now()
	err := parallel(8, n, func(i int) (err error) {
		made[i], err = s.create(ctx, s.nextName(&mu), "created")
		return err
	})
	elapsed := time.Since(start).Seconds()
	if err == nil {
		err = s.remove(ctx, made)
	}
	return n / elapsed, err
}

func (s *service) remove(ctx context.Context, nodes []string) error {
	return parallel(8, len(nodes), func(i int) error { return s.call(ctx, "DELETE", "/v1/nodes/"+nodes[i], nil, nil) })
}

// patches changes an extra key of 100 nodes over 8 connections.
func patches(ctx context.Context, s *service) (float64, error) {
	const n = 100
	start := time.Now()
	err := parallel(8, n, func(i int) error {
		return s.call(ctx, "PATCH", "/v1/nodes/"+s.uuids[i], []map[string]any{{"op": "add", "path": "/extra/turn", "value": start.UnixNano()}}, nil)
	})
	return n / time.Since(start).Seconds(), err
}

// cycle takes new nodes through manage, provide, active and deleted, all of them through each before the next; in s.
func cycle(ctx context.Context, s *service, n int) (float64, error) {
	var mu sync.Mutex
	class := s.nextName(&mu)
	nodes := make([]string, n)
	if err := parallel(8, n, func(i int) (err error) {
		nodes[i], err = s.create(ctx, s.nextName(&mu), class)
		return err
	}); err != nil {
		return 0, err
	}
	start := time.Now()
	for _, verb := range []struct{ target, state string }{
		{"manage", "manageable"}, {"provide", "available"}, {"active", "active"}, {"deleted", "available"},
	} {
		if err := parallel(8, n, func(i int) error {
			return s.call(ctx, "PUT", "/v1/nodes/"+nodes[i]+"/states/provision", map[string]string{"target": verb.target}, nil)
		}); err != nil {
			return 0, err
		}
		if err := s.reached(ctx, class, verb.state, n); err != nil {
			return 0, err
		}
	}
	elapsed := time.Since(start).Seconds()
	if err := parallel(8, n, func(i int) error {
		return s.call(ctx, "PUT", "/v1/nodes/"+nodes[i]+"/states/provision", map[string]string{"target": "manage"}, nil)
	}); err != nil {
		return 0, err
	}
	if err := s.reached(ctx, class, "manageable", n); err != nil {
		return 0, err
	}
	return elapsed, s.remove(ctx, nodes)
}

// reached waits until n nodes of a class are in a state.
func (s *service) reached(ctx context.Context, class, state string, n int) error {
	query := url.Values{"resource_class": {class}, "provision_state": {state}, "fields": {"uuid"}, "limit": {"1000"}}
	for end := time.Now().Add(patience); ; {
		var list struct {
			Nodes []struct{} `json:"nodes"`
		}
		if err := s.call(ctx, "GET", "/v1/nodes?"+query.Encode(), nil, &list); err != nil {
			return err
		}
		if len(list.Nodes) == n {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("only %d of %d nodes are %s after %s", len(list.Nodes), n, state, patience)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}
