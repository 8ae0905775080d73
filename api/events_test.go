package api_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listen opens an event stream and gives its blocks: the lines between empty ones, comments left out.
func (s *service) listen(t *testing.T, query string, headers ...string) func() string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/v1/events"+query, nil)
	require.NoError(t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		t.Helper()
		var block []string
		for lines.Scan() {
			line := lines.Text()
			switch {
			case line == "" && len(block) > 0:
				return strings.Join(block, "\n")
			case line != "" && !strings.HasPrefix(line, ":"):
				block = append(block, line)
			}
		}
		require.NoError(t, lines.Err())
		return strings.Join(block, "\n")
	}
	require.Regexp(t, `^id: \d+$`, next(), "where the stream stands")
	return next
}

// TestEventStream: events come in order with the ID of their row, from now on or after the one last seen.
func TestEventStream(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enrol(t, "before")
	live := s.listen(t, "")
	uuid := s.enrol(t, "n1")
	first := live()
	require.Regexp(t, `^id: 2\nevent: node.created\ndata: \{"id":2,"at":"[^"]+","type":"node.created","node":"`+uuid+`","data":\{"driver":"fake-hardware","name":"n1"\}\}$`, first)
	s.must(t, 202, "PUT", "/v1/nodes/n1/states/provision", `{"target": "manage"}`)
	require.Contains(t, live(), "event: node.state")

	all := s.listen(t, "?after=0")
	for id := 1; id <= 3; id++ {
		require.Contains(t, all(), fmt.Sprintf("id: %d\n", id))
	}
	resumed := s.listen(t, "?after=0", "Last-Event-ID: 2")
	require.Contains(t, resumed(), "id: 3\n")
	states := s.listen(t, "?after=0&type=node.state")
	require.Contains(t, states(), "id: 3\n")
	others := s.listen(t, "?after=0&type=port.,node.created&node=n1")
	require.Contains(t, others(), "id: 2\n")
	s.must(t, 201, "POST", "/v1/ports", map[string]any{"node_uuid": uuid, "address": "52:54:00:00:00:01"})
	require.Contains(t, others(), "event: port.created")
}

// TestEventsUnseen: a stream with more events before it than fit one batch still gives each of them once.
func TestEventsUnseen(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 250 {
		s.enrol(t, "")
	}
	next := s.listen(t, "?after=0")
	for id := 1; id <= 250; id++ {
		require.Contains(t, next(), fmt.Sprintf("id: %d\n", id))
	}
}

// TestEventsOfAProject: a project hears of its own nodes, and of no others.
func TestEventsOfAProject(t *testing.T) {
	t.Parallel()
	s := policed(t)
	mine, theirs := s.uuid(t, "owned"), s.uuid(t, "other")
	hears := func(persona, last string) string { // up to the creation of the last port that the persona hears of
		next, heard := s.listen(t, "?after=0", as(persona)), ""
		for {
			block := next()
			heard += block
			if strings.Contains(block, "event: port.created") && strings.Contains(block, last) {
				return heard
			}
		}
	}
	for persona, want := range map[string]bool{"reader@system": true, "reader@p1": false, "admin@p2": false} {
		last := mine
		if want {
			last = theirs
		}
		heard := hears(persona, last)
		require.Contains(t, heard, mine, persona)
		require.Equal(t, want, strings.Contains(heard, theirs), persona)
	}
	require.NotContains(t, hears("reader@p3", theirs), mine)
	s.must(t, 404, "GET", "/v1/events?node=other", nil, as("admin@p1"))
}
