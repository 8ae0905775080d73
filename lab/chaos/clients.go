package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// clients are those who send requests, and what they wrote down.
type clients struct {
	apis []*client.Client

	mu       sync.Mutex
	requests []Request
	reads    []Read
	changed  map[string]chan struct{} // by node: closed when something is told of it
}

// answerPatience is how long a client waits for an answer: longer than a service may think about it.
const answerPatience = 12 * time.Second

func newClients(addresses []string) *clients {
	c := &clients{changed: map[string]chan struct{}{}}
	for _, address := range addresses {
		c.apis = append(c.apis, &client.Client{BaseURL: "http://" + address, HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}})
	}
	return c
}

// any picks an API.
func (c *clients) any(r *rand.Rand) *client.Client { return c.apis[r.IntN(len(c.apis))] }

// send sends a request that changes something, and writes down what came of it. The request is in the record before it
// is sent.
func (c *clients) send(ctx context.Context, q Request, call func(context.Context) error) Answer {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	q.Sent, q.Answer = time.Now(), Unknown
	err := call(ctx)
	q.Ended, q.Answer = time.Now(), answerOf(ctx, err)
	if err != nil {
		q.Said = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, q)
	return q.Answer
}

// answerOf reads an answer: what the service refused for the request's own sake was not begun.
func answerOf(ctx context.Context, err error) Answer {
	switch {
	case err == nil:
		return Accepted
	case ctx.Err() != nil:
		return Unknown
	}
	switch ingot.CodeOf(err) {
	case ingot.Unavailable:
		return Unknown
	case ingot.Internal:
		return Broken
	}
	return Refused
}

// read asks one API for a node.
func (c *clients) read(ctx context.Context, api *client.Client, node string) (client.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	asked := time.Now()
	n, err := api.Node(ctx, node)
	if err != nil {
		return n, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads = append(c.reads, Read{Node: node, Asked: asked, Answered: time.Now(), State: n.ProvisionState})
	return n, nil
}

// provision sends a verb.
func (c *clients) provision(ctx context.Context, api *client.Client, q Request, p client.Provision) Answer {
	p.Target = ingot.Verb(q.Verb)
	return c.send(ctx, q, func(ctx context.Context) error { return api.SetProvision(ctx, q.Node, p) })
}

// power asks for a power state.
func (c *clients) power(ctx context.Context, api *client.Client, node string, target ingot.PowerTarget) Answer {
	q := Request{Node: node, Verb: "power " + string(target)}
	return c.send(ctx, q, func(ctx context.Context) error { return api.SetPower(ctx, node, target) })
}

// tell wakes who waits for a node.
func (c *clients) tell(node string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.changed[node]; ch != nil {
		close(ch)
		delete(c.changed, node)
	}
}

// wait lets time pass until something is told of the node, at most d; false when ctx ended first.
func (c *clients) wait(ctx context.Context, node string, d time.Duration) bool {
	c.mu.Lock()
	ch := c.changed[node]
	if ch == nil {
		ch = make(chan struct{})
		c.changed[node] = ch
	}
	c.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-ch:
	case <-timer.C:
	}
	return true
}

// enrol makes the machine's node and port and has its BMC proved; it is before all trouble.
func (c *clients) enrol(ctx context.Context, m *server) error {
	fields, err := m.fields()
	if err != nil {
		return err
	}
	api := c.any(m.random)
	n, err := api.CreateNode(ctx, fields)
	if err != nil {
		return fmt.Errorf("cannot enrol %s: %w", m.name, err)
	}
	m.node = n.UUID
	if m.fake {
		return nil
	}
	if _, err := api.Resource("ports").Create(ctx, map[string]any{"node_uuid": n.UUID, "address": m.mac, "pxe_enabled": true}); err != nil {
		return fmt.Errorf("cannot enrol %s: %w", m.name, err)
	}
	return nil
}
