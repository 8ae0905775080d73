package conductor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// powerSync looks at all machines' power now and then (Ironic: sync_power_state). What differs is put right on the
// side that is wrong: the record follows the machine, unless force_power_state_during_sync says otherwise. A BMC that
// keeps failing puts its node into maintenance with the fault "power failure", and is tried again until it answers.
func (c *Conductor) powerSync(ctx context.Context) error {
	if c.Settings.PowerSync < 0 {
		return nil
	}
	failures := map[string]int{}
	ticker := time.NewTicker(c.Settings.PowerSync)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.news.some:
			c.syncHeard(ctx, failures)
		case <-ticker.C:
			if err := c.SyncPower(ctx, failures); err != nil && ctx.Err() == nil {
				c.Log.Error("cannot go over the machines' power; trying again at the next round", "error", err)
			}
		}
	}
}

// syncWorkers is how many BMCs are asked at a time (Ironic: sync_power_state_workers 8).
const syncWorkers = 8

// SyncPower goes once over the nodes of the conductor's group that it prefers: the others of the group go over the rest. failures counts looks in a row that failed, by node.
func (c *Conductor) SyncPower(ctx context.Context, failures map[string]int) error {
	query := ingot.NodeQuery{IncludeChildren: true}
	for {
		nodes, err := c.Nodes.ListNodes(ctx, query)
		if err != nil || len(nodes) == 0 {
			return err
		}
		query.Marker = nodes[len(nodes)-1].UUID
		share := c.Pulse.preferred()
		c.syncBatch(ctx, slices.DeleteFunc(nodes, func(n ingot.Node) bool { return n.ConductorGroup != c.Group || !share.Has(n.UUID) }), failures)
	}
}

// syncBatch asks a batch of BMCs and writes down what differs.
func (c *Conductor) syncBatch(ctx context.Context, nodes []ingot.Node, failures map[string]int) {
	seen := make([]sight, len(nodes))
	errs := make([]error, len(nodes))
	var group errgroup.Group
	group.SetLimit(syncWorkers)
	for i := range nodes {
		if !syncs(&nodes[i]) {
			continue
		}
		group.Go(func() error {
			errs[i] = c.exchange(ctx, &nodes[i], func(ctx context.Context, m ingot.Machine) (err error) {
				seen[i], err = c.look(ctx, &nodes[i], m)
				return err
			})
			return nil
		})
	}
	_ = group.Wait() // the goroutines keep their errors
	for i := range nodes {
		if !syncs(&nodes[i]) {
			continue
		}
		if err := c.syncNode(ctx, &nodes[i], seen[i], errs[i], failures); err != nil && ctx.Err() == nil {
			c.Log.Warn("cannot record a machine's power", "node", nodes[i].UUID, "error", err)
		}
	}
}

// syncs says whether a node's power is looked at (Ironic skips maintenance, a power action under way, and the states
// in which an operation owns the power). A node with a fault of ours about its power is looked at, so that it recovers.
func syncs(n *ingot.Node) bool {
	switch {
	case n.Maintenance && !unseen(n), n.TargetPowerState != "", n.ProvisionState.Busy():
		return false
	}
	return n.ProvisionState != ingot.Enroll && n.ProvisionState != ingot.AdoptFailed
}

// unseen says whether the node has a fault because of what a look at its machine found.
func unseen(n *ingot.Node) bool { return n.Fault == ingot.FaultPower || n.Fault == ingot.FaultGuest }

// syncNode writes down what one look at a machine found.
func (c *Conductor) syncNode(ctx context.Context, n *ingot.Node, seen sight, failed error, failures map[string]int) error {
	if missed := (notAsked{}); errors.As(failed, &missed) {
		return nil
	}
	if gone := (&ingot.GuestMissing{}); errors.As(failed, &gone) { // the host says so: to ask again brings nothing
		if n.Fault == ingot.FaultGuest {
			return nil
		}
		return c.setFault(ctx, n, ingot.FaultGuest, failed.Error())
	}
	if failed != nil {
		failures[n.UUID]++
		if failures[n.UUID] < c.Settings.PowerRetries || n.Maintenance {
			return nil
		}
		return c.setFault(ctx, n, ingot.FaultPower, fmt.Sprintf("During sync_power_state, max retries exceeded for node %s: %v", n.UUID, failed))
	}
	delete(failures, n.UUID)
	recovered := unseen(n)
	switch {
	case n.RanWhenLost() && seen.power != ingot.PowerOn: // to be started or not when its host is looked after: FailOver
		return nil
	case seen.power == n.PowerState && !recovered && !n.RanWhenLost() && !seen.differs(n):
		return nil
	}
	if seen.power != n.PowerState && n.PowerState != "" && !recovered && c.forces(n) {
		return c.restorePower(ctx, n)
	}
	var events []ingot.Event
	if eased := recovered || seen.goesOn(n); seen.power != n.PowerState || eased {
		events = append(events, ingot.Event{At: c.Now(), Type: "node.power", Node: n.UUID, Data: map[string]any{"from": n.PowerState, "to": seen.power, "recovered": eased}})
	}
	if seen.stalls(n) {
		events = append(events, ingot.Event{At: c.Now(), Type: "node.fault", Node: n.UUID, Data: map[string]any{"fault": ingot.FaultDisk, "reason": seen.stall}})
	}
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: n.UUID, Version: n.Version,
		Change: func(n *ingot.Node) error {
			if recovered {
				n.Maintenance, n.MaintenanceReason, n.Fault = false, "", ""
			}
			seen.record(n)
			n.PowerState = seen.power
			n.Found()
			return nil
		},
		History: seen.history(c, n), Events: events,
	})
	return ignoreStale(err)
}

// forces says whether a machine is brought back to its recorded power. A machine that carries an instance is never
// powered off for that: somebody who switched it on knows why. A guest is switched off from inside by whoever it belongs to.
func (c *Conductor) forces(n *ingot.Node) bool {
	if !c.Settings.ForcePower || n.DisablePowerOff || n.IsGuest() {
		return false
	}
	carries := n.ProvisionState == ingot.Active || n.InstanceUUID != ""
	return n.PowerState == ingot.PowerOn || !carries
}

// restorePower starts an ordinary power operation towards the recorded power.
func (c *Conductor) restorePower(ctx context.Context, n *ingot.Node) error {
	target := ingot.TargetPowerOff
	if n.PowerState == ingot.PowerOn {
		target = ingot.TargetPowerOn
	}
	return ignoreStale(c.SetPower(ctx, *n, target, 0))
}

// setFault puts a node into maintenance whose BMC does not answer, or whose machine is gone.
func (c *Conductor) setFault(ctx context.Context, n *ingot.Node, fault ingot.Fault, reason string) error {
	now := c.Now()
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: n.UUID, Version: n.Version,
		Change: func(n *ingot.Node) error {
			n.Maintenance, n.MaintenanceReason, n.Fault, n.LastError = true, reason, fault, reason
			if n.IsGuest() && fault == ingot.FaultPower { // one that was deleted there is not started when it is there again
				n.LosePower()
			}
			n.PowerState = ""
			return nil
		},
		History: []ingot.History{{
			CreatedAt: now, Severity: "ERROR", Type: "monitoring", Event: reason, Conductor: c.Hostname,
			State: n.ProvisionState, TargetState: n.TargetProvisionState, Duration: sinceUpdate(n, now),
		}},
		Events: []ingot.Event{{At: now, Type: "node.fault", Node: n.UUID, Data: map[string]any{"fault": fault, "reason": reason}}},
	})
	return ignoreStale(err)
}

// ignoreStale drops the refusal of a change that was judged by an older version: the next round looks again.
func ignoreStale(err error) error {
	if code := ingot.CodeOf(err); code == ingot.Conflict || code == ingot.Locked || code == ingot.NotFound {
		return nil
	}
	return err
}
