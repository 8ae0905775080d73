package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// How long a node is waited for, and a service that is busy; and how often either is asked.
const (
	patience = time.Minute
	pause    = 100 * time.Millisecond
)

// peer is one of the two services.
type peer struct {
	url  string
	http *http.Client
}

func newPeer(url string) *peer {
	return &peer{url: strings.TrimSuffix(url, "/"), http: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what a service said.
type answer struct {
	status int
	header http.Header
	text   string // with BASE in the place of the service's own URL
	body   any
}

// answer asks until there is the answer that is waited for. A node that another request still holds is asked again, as
// clients do: Ironic keeps nodes for a moment after what it was asked for has been done.
func (p *peer) answer(ctx context.Context, a *ask) (answer, error) {
	for end := time.Now().Add(patience); ; {
		got, err := p.once(ctx, a)
		over := time.Now().After(end)
		switch {
		case err != nil:
			return got, err
		case a.want != "" && got.status == http.StatusOK && !got.reached(a) && !over:
		case got.status == http.StatusConflict && strings.Contains(got.text, "is locked by") && !over:
		default:
			return got, nil
		}
		select {
		case <-ctx.Done():
			return got, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// reached says whether the field that is waited for has its value, and nobody works on the node any more.
func (a answer) reached(wanted *ask) bool {
	node, _ := a.body.(map[string]any)
	return fmt.Sprint(node[wanted.field]) == wanted.want && node["reservation"] == nil && node["target_power_state"] == nil
}

func (p *peer) once(ctx context.Context, a *ask) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, a.method, p.url+a.path, strings.NewReader(a.body))
	if err != nil {
		return answer{}, err
	}
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	if a.version != "-" {
		req.Header.Set("X-OpenStack-Ironic-API-Version", a.version)
	}
	for _, header := range a.headers {
		name, value, _ := strings.Cut(header, ":")
		req.Header.Set(name, strings.TrimSpace(value))
	}
	res, err := p.http.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("cannot ask %s: %w", p.url, err)
	}
	defer res.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(res.Body)
	got := answer{status: res.StatusCode, header: res.Header, text: strings.ReplaceAll(string(text), p.url, "BASE")}
	got.read()
	for name := range got.header {
		got.header.Set(name, strings.ReplaceAll(got.header.Get(name), p.url, "BASE"))
	}
	return got, err
}

// read takes the text apart, if it is JSON.
func (a *answer) read() {
	if json.Unmarshal([]byte(a.text), &a.body) != nil {
		a.body = nil
	}
}

// fault is an error's inside, out of its double encoding.
func (a answer) fault() map[string]any {
	outer, _ := a.body.(map[string]any)
	text, ok := outer["error_message"].(string)
	if !ok {
		return outer
	}
	var inner map[string]any
	if json.Unmarshal([]byte(text), &inner) != nil {
		return nil
	}
	return inner
}

// sentence is what an error says to people.
func (a answer) sentence() string {
	for _, key := range []string{"faultstring", "description"} {
		if text, ok := a.fault()[key].(string); ok {
			return text
		}
	}
	return ""
}
