package api_test

import (
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What answering a request may allocate, all told: a share of its body's length, and something for itself. It bounds what
// the request can hold at any moment.
const (
	allocatedForEach = 200
	allocatedAnyway  = 24 << 20
)

// allocated is how much the process has allocated since its start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// boundedMemory holds what was allocated since before against the length of a request. Nothing else may run beside it.
func boundedMemory(t *testing.T, before uint64, length int, what string) {
	t.Helper()
	used := allocated() - before
	require.LessOrEqual(t, used, uint64(allocatedAnyway+allocatedForEach*length), "%.80s: %d bytes were allocated for a request of %d", what, used, length)
}

// TestMemoryIsBounded: bodies as large as the service takes, of the forms that cost most, allocate no more than their
// length allows. Not parallel: what others allocate would count.
func TestMemoryIsBounded(t *testing.T) {
	s := fuzzed(t)
	const whole = 1 << 20
	filled := func(begin, each, end string) string {
		return begin + strings.Repeat(each, (whole-len(begin)-len(end)-1)/len(each)) + end
	}
	node := "/v1/nodes/" + fuzzNode
	for _, r := range []struct{ what, method, path, body string }{
		{"numbers", "POST", "/v1/nodes", filled(`{"driver": "ipmi", "extra": {"a": [0`, `,1`, `]}}`)},
		{"empty objects", "POST", "/v1/nodes", filled(`{"driver": "ipmi", "extra": {"a": [0`, `,{}`, `]}}`)},
		{"depth", "POST", "/v1/nodes", filled(`{"driver": "ipmi", "extra": `, `[`, ``)},
		{"unexpected words", "POST", "/v1/nodes", filled(`{"driver": "ipmi"`, `,"a":0`, `}`)},
		{"a long name", "POST", "/v1/nodes", filled(`{"driver": "ipmi", "name": "`, `x`, `"}`)},
		{"the wrong type", "POST", "/v1/nodes", filled(`{"driver": [0`, `,{"a":0}`, `]}`)},
		{"operations", "PATCH", node, filled(`[{"op":"add","path":"/extra/a","value":1}`, `,{"op":"add","path":"/extra/a","value":1}`, `]`)},
		{"operations of which the last is wrong", "PATCH", node, filled(`[{"op":"add","path":"/extra/a","value":[]}`, `,{"op":"add","path":"/extra/a/0","value":1}`, `,{"op":"add","path":"/extra/a/b/c","value":1}]`)},
		{"a deep path", "PATCH", node, filled(`[{"op":"add","path":"/extra`, `/a`, `","value":1}]`)},
		{"steps", "PUT", node + "/states/provision", filled(`{"target": "clean", "clean_steps": [{}`, `,{"interface":"bios","step":"x"}`, `]}`)},
		{"traits", "PUT", node + "/traits", filled(`{"traits": ["CUSTOM_A"`, `,"CUSTOM_A"`, `]}`)},
		{"events", "POST", "/v1/events", filled(`{"events": [{}`, `,{"event":"x"}`, `]}`)},
	} {
		t.Run(r.what, func(t *testing.T) {
			before := allocated()
			w := s.answers(t, r.method, r.path, r.body, "1.115")
			boundedMemory(t, before, len(r.body), r.what)
			require.Less(t, w.Body.Len(), 8*whole)
		})
	}
	t.Run("parameters", func(t *testing.T) {
		for _, query := range []string{filled("fields=uuid", ",uuid", ""), filled("fields=uuid", "&fields=name", ""), filled("a=1", "&a=1", ""), filled("shard=a", ",a", "")} {
			before := allocated()
			s.answers(t, "GET", "/v1/nodes?"+query, "", "1.115")
			boundedMemory(t, before, len(query), query)
		}
	})
}
