package conductor

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

const (
	// probePatience bounds one probe: a canary guest may have to boot.
	probePatience = 2 * time.Minute
	// probeWorkers is how many hosts are probed at a time.
	probeWorkers = 8
)

// watchHosts keeps what is recorded of compute hosts true until ctx ends: each is probed at intervals and when something
// was heard of it.
func (c *Conductor) watchHosts(ctx context.Context) error {
	if c.Guests == nil {
		return nil
	}
	ticker := time.NewTicker(c.Guests.Every)
	defer ticker.Stop()
	host := "" // all
	var audited time.Time
	for {
		if now := c.Now(); now.Sub(audited) >= auditEvery {
			audited = now
			if err := c.AuditClaims(ctx); err != nil && ctx.Err() == nil {
				c.Log.Error("cannot look at the claims of compute hosts; trying again", "error", err)
			}
		}
		if err := c.ProbeHosts(ctx, host); err != nil && ctx.Err() == nil {
			c.Log.Error("cannot go over the compute hosts; trying again", "error", err)
		}
		if err := c.FailOver(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("cannot do what is due for compute hosts that are lost or back; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case host = <-c.Guests.wakes:
		case host = <-c.Guests.Prober.Changes():
		case <-ticker.C:
			host = ""
		}
	}
}

// ProbeHosts probes one compute host; for "", all that this conductor prefers: others go over the rest.
func (c *Conductor) ProbeHosts(ctx context.Context, host string) error {
	if host != "" {
		h, err := c.Guests.Hosts.Get(ctx, host)
		if ingot.CodeOf(err) == ingot.NotFound {
			c.Guests.Prober.Forget(host)
			return nil
		}
		if err != nil {
			return err
		}
		return c.probe(ctx, h)
	}
	hosts, err := c.Guests.Hosts.List(ctx, ingot.HypervisorQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return err
	}
	share := c.Pulse.preferred()
	var group errgroup.Group
	group.SetLimit(probeWorkers)
	for _, h := range hosts {
		if share.Has(h.NodeUUID) {
			group.Go(func() error { return c.probe(ctx, h) })
		}
	}
	return group.Wait()
}

// probe asks a host how it is, and writes that down.
func (c *Conductor) probe(ctx context.Context, h ingot.Hypervisor) error {
	guests, err := c.children(ctx, h.NodeUUID)
	if err != nil {
		return err
	}
	var ids []string
	for i := range guests {
		if guests[i].IsGuest() {
			ids = append(ids, guests[i].UUID)
		}
	}
	bounded, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	seen := ingot.Observation{Host: h.NodeUUID, URI: h.URI}
	facts, err := c.Guests.Prober.Probe(bounded, h, ids)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // it says nothing of the host
	case err != nil:
		seen.Reason = err.Error()
	default:
		if err := c.clearStale(ctx, h.NodeUUID, &facts); err != nil {
			return err
		}
		seen.Facts = &facts
	}
	err = c.observe(ctx, h, seen)
	if ingot.CodeOf(err) == ingot.Conflict { // the machine is another compute host already
		seen.Facts, seen.Reason = nil, err.Error()
		err = c.observe(ctx, h, seen)
	}
	if ingot.CodeOf(err) == ingot.NotFound {
		c.Guests.Prober.Forget(h.NodeUUID)
		return nil
	}
	return err
}

// observe writes down what a probe saw, with an event where the host's state is another one now.
func (c *Conductor) observe(ctx context.Context, h ingot.Hypervisor, seen ingot.Observation) error {
	after := h
	after.Observe(seen, c.Now())
	var events []ingot.Event
	if after.State != h.State {
		c.Log.Info("a compute host is in another state", "host", h.NodeUUID, "was", h.State, "is", after.State, "reason", after.StateReason)
		events = append(events, ingot.Event{
			At: c.Now(), Type: "hypervisor.state", Node: h.NodeUUID, Data: map[string]any{"from": h.State, "to": after.State, "reason": after.StateReason},
		})
	}
	_, err := c.Guests.Hosts.Change(ctx, h.NodeUUID, 0, func(h *ingot.Hypervisor) error {
		h.Observe(seen, c.Now())
		return nil
	}, events...)
	return err
}
