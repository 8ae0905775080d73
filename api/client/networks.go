package client

import (
	"context"
	"net/url"

	"github.com/ingot-metal/ingot"
)

// Networks are the networks that machines boot on.
func (c *Client) Networks(ctx context.Context) ([]ingot.Network, error) {
	var list struct {
		Networks []ingot.Network `json:"networks"`
	}
	err := c.call(ctx, "GET", "/v1/networks", nil, nil, &list)
	return list.Networks, err
}

// Lease is an address that the boot service gave to a machine.
type Lease struct {
	MAC      string `json:"mac"`
	Address  string `json:"address"`
	Hostname string `json:"hostname"`
	Until    string `json:"until"` // RFC 3339
	Over     bool   `json:"over"`
}

// Leases lists the leases of a network, by its name, in the order of their addresses; those that are over included.
func (c *Client) Leases(ctx context.Context, network string) ([]Lease, error) {
	var list struct {
		Leases []Lease `json:"leases"`
	}
	err := c.call(ctx, "GET", "/v1/networks/"+url.PathEscape(network)+"/leases", nil, nil, &list)
	return list.Leases, err
}
