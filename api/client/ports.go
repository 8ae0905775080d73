package client

import (
	"context"
	"net/url"
)

// Port is a node's network interface as the API shows it.
type Port struct {
	UUID       string         `json:"uuid"`
	NodeUUID   string         `json:"node_uuid"`
	Address    string         `json:"address"`
	Name       string         `json:"name"`
	PXEEnabled bool           `json:"pxe_enabled"`
	Extra      map[string]any `json:"extra"`
}

// Ports lists the ports of a node, by UUID or name; "" lists those of all, at most a thousand.
func (c *Client) Ports(ctx context.Context, node string) ([]Port, error) {
	query := url.Values{"detail": {"true"}}
	if node != "" {
		query.Set("node", node)
	}
	var list struct {
		Ports []Port `json:"ports"`
	}
	err := c.call(ctx, "GET", "/v1/ports", query, nil, &list)
	return list.Ports, err
}

// CreatePort gives a node a port. Conflict: the address is another port's.
func (c *Client) CreatePort(ctx context.Context, node, address string) (Port, error) {
	var p Port
	return p, c.call(ctx, "POST", "/v1/ports", nil, map[string]any{"node_ident": node, "address": address}, &p)
}

// DeletePort forgets a port.
func (c *Client) DeletePort(ctx context.Context, uuid string) error {
	return c.call(ctx, "DELETE", "/v1/ports/"+url.PathEscape(uuid), nil, nil, nil)
}

// Ready says whether the service can do its work; Unavailable when it cannot yet.
func (c *Client) Ready(ctx context.Context) error {
	return c.call(ctx, "GET", "/healthz", nil, nil, nil)
}
