package store

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// Hypervisors are the store's compute hosts, by their nodes' UUIDs. Writing one writes what it has of each resource in
// the same transaction. Only what operators set raises the version. Conflict: the machine is another compute host
// already; deleting one that has guests.
func (s *Store) Hypervisors() *Records[ingot.Hypervisor, ingot.HypervisorQuery] {
	return &Records[ingot.Hypervisor, ingot.HypervisorQuery]{s, s.tables.hypervisors}
}

func hypervisorKind() *kind[ingot.Hypervisor, ingot.HypervisorQuery] {
	type h = ingot.Hypervisor
	return &kind[h, ingot.HypervisorQuery]{
		noun:  "Hypervisor of node",
		table: hypervisorTable(),
		head:  func(v *h) head { return head{&v.NodeUUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		page:  func(q *ingot.HypervisorQuery) ingot.Page { return q.Page },
		node:  func(v *h) string { return v.NodeUUID },
		unique: []unique[h]{
			sole("uuid", func(v *h) string { return v.NodeUUID }, "Node %s is a compute host already.", nil),
			sole("host_uuid", func(v *h) string { return v.Facts.HostUUID }, "The machine with libvirt's host UUID %s is a compute host already.", func(v *h) string { return "node " + v.NodeUUID }),
		},
		judge: stock,
		free:  unstock,
	}
}

func hypervisorTable() *table[ingot.Hypervisor] {
	type h = ingot.Hypervisor
	return &table[h]{
		name: "hypervisors",
		uuid: func(v *h) string { return v.NodeUUID },
		columns: []column[h]{
			{name: "uuid", place: func(v *h) field { return (*text)(&v.NodeUUID) }, once: true, sort: own},
			{name: "version", place: func(v *h) field { return (*number)(&v.Version) }, quiet: true},
			{name: "type", place: func(v *h) field { return (*text)(&v.Type) }},
			{name: "uri", place: func(v *h) field { return (*text)(&v.URI) }},
			{name: "ratios", place: func(v *h) field { return record[ingot.Amounts]{at: &v.Ratios} }},
			{name: "reserved", place: func(v *h) field { return record[ingot.Amounts]{at: &v.Reserved} }},
			{name: "pools", place: func(v *h) field { return record[[]ingot.StoragePool]{at: &v.Pools} }},
			{name: "networks", place: func(v *h) field { return record[[]ingot.GuestNetwork]{at: &v.Networks} }},
			{name: "cpu", place: func(v *h) field { return record[ingot.GuestCPU]{at: &v.CPU} }},
			{name: "on_host_failure", place: func(v *h) field { return (*text)(&v.OnHostFailure) }},
			{name: "autostart", place: func(v *h) field { return (*flag)(&v.Autostart) }},
			{name: "migration_tls", place: func(v *h) field { return (*flag)(&v.MigrationTLS) }},
			{name: "disabled", place: func(v *h) field { return (*flag)(&v.Disabled) }},
			{name: "draining", place: func(v *h) field { return (*flag)(&v.Draining) }},
			{name: "state", place: func(v *h) field { return (*text)(&v.State) }, quiet: true},
			{name: "state_reason", place: func(v *h) field { return (*text)(&v.StateReason) }, quiet: true},
			{name: "host_uuid", place: func(v *h) field { return (*text)(&v.Facts.HostUUID) }, quiet: true},
			{name: "facts", place: func(v *h) field { return record[ingot.HostFacts]{at: &v.Facts} }, quiet: true},
			{name: "missed", place: func(v *h) field { return (*whole)(&v.Missed) }, quiet: true},
			{name: "failures", place: func(v *h) field { return (*whole)(&v.Failures) }, quiet: true},
			{name: "failed_at", place: func(v *h) field { return (*moment)(&v.FailedAt) }, quiet: true},
			{name: "last_seen_at", place: func(v *h) field { return (*moment)(&v.LastSeenAt) }, quiet: true},
			{name: "fence", place: func(v *h) field { return (*text)(&v.Fence) }, quiet: true},
			{name: "fence_reason", place: func(v *h) field { return (*text)(&v.FenceReason) }, quiet: true},
			{name: "down_since", place: func(v *h) field { return (*moment)(&v.DownSince) }, quiet: true},
			{name: "created_at", place: func(v *h) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *h) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		},
	}
}

// stock writes what the host has of each resource, once it is known; what is claimed stays, and may then be more than
// there is.
func stock(t *tx, v, was *ingot.Hypervisor) error {
	if err := t.sameNode(v.NodeUUID, was.NodeUUID); err != nil {
		return err
	}
	for _, c := range v.Capacities() {
		if _, err := t.exec(`INSERT INTO capacities (host, resource, total, reserved, ratio, max_unit, step_size) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (host, resource) DO UPDATE SET total = excluded.total, reserved = excluded.reserved, ratio = excluded.ratio,
				max_unit = excluded.max_unit, step_size = excluded.step_size`,
			c.Host, string(c.Resource), c.Total, c.Reserved, c.Ratio, c.MaxUnit, c.StepSize); err != nil {
			return err
		}
	}
	return nil
}

// unstock takes the host's resources away, unless guests have some of them. The rows are locked first, in the order in
// which guests claim them, so that none is added meanwhile.
func unstock(t *tx, v *ingot.Hypervisor) error {
	if _, err := t.capacities("host = ? ORDER BY resource"+t.store.dialect.forUpdate, v.NodeUUID); err != nil {
		return err
	}
	guests, err := t.nodes("uuid IN (SELECT guest FROM claims WHERE host = ?) ORDER BY id", v.NodeUUID)
	switch {
	case err != nil:
		return err
	case len(guests) > 0:
		return ingot.Errorf(ingot.Conflict, "Node %s is the compute host of %s; delete or move them first.", v.NodeUUID, ingot.Labels(guests))
	}
	_, err = t.exec("DELETE FROM capacities WHERE host = ?", v.NodeUUID)
	return err
}

// ComputeHosts gives every compute host as placement sees it.
func (s *Store) ComputeHosts(ctx context.Context) ([]ingot.ComputeHost, error) {
	c := s.read(ctx)
	hypervisors, err := s.tables.hypervisors.selected(c, "TRUE ORDER BY id")
	if err != nil {
		return nil, s.sentence(err)
	}
	nodes, err := c.nodes("uuid IN (SELECT uuid FROM hypervisors)")
	if err != nil {
		return nil, s.sentence(err)
	}
	capacities, err := c.capacities("TRUE ORDER BY host, resource")
	if err != nil {
		return nil, s.sentence(err)
	}
	groups, err := c.groups()
	if err != nil {
		return nil, s.sentence(err)
	}
	byID := map[string]*ingot.Node{}
	for i := range nodes {
		byID[nodes[i].UUID] = &nodes[i]
	}
	var hosts []ingot.ComputeHost
	for i := range hypervisors {
		id := hypervisors[i].NodeUUID
		if node := byID[id]; node != nil { // else it went between two of the reads
			hosts = append(hosts, ingot.ComputeHost{Node: *node, Hypervisor: hypervisors[i], Groups: groups[id]})
		}
	}
	for i := range hosts {
		for _, capacity := range capacities {
			if capacity.Host == hosts[i].Node.UUID {
				hosts[i].Capacities = append(hosts[i].Capacities, capacity)
			}
		}
	}
	return hosts, nil
}

// groups are the groups that have a guest on each host.
func (c *conn) groups() (map[string][]string, error) {
	rows, err := c.rows("SELECT host, name FROM group_members ORDER BY host, name")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	groups := map[string][]string{}
	for rows.Next() {
		var host, name string
		if err := rows.Scan(&host, &name); err != nil {
			return nil, fmt.Errorf("cannot read the groups of guests: %w", err)
		}
		groups[host] = append(groups[host], name)
	}
	return groups, rows.Err()
}
