package main

import "context"

// networkCommand is `ingot network`.
type networkCommand struct {
	apiFlags
	List   networkList   `cmd:"" help:"List the networks that machines boot on."`
	Leases networkLeases `cmd:"" help:"List which machine was given which address of a network."`
}

// networkList is `ingot network list`.
type networkList struct{}

// Run prints the networks.
func (networkList) Run(ctx context.Context, s *session) error {
	items, err := s.Resource("networks").List(ctx, nil)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"name", "interface", "subnet", "pool_start", "pool_end", "dhcp"})
}

// networkLeases is `ingot network leases`.
type networkLeases struct {
	Network string `arg:"" help:"Name of the network."`
}

// Run prints the leases.
func (c *networkLeases) Run(ctx context.Context, s *session) error {
	items, err := s.Resource("networks", c.Network, "leases").List(ctx, nil)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"address", "mac", "hostname", "until", "over"})
}

// shardCommand is `ingot shard`.
type shardCommand struct {
	apiFlags
	List shardList `cmd:"" help:"List the shards with the number of their nodes."`
}

// shardList is `ingot shard list`.
type shardList struct{}

// Run prints the shards.
func (shardList) Run(ctx context.Context, s *session) error {
	items, err := s.Resource("shards").List(ctx, nil)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"name", "count"})
}
