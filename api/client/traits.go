package client

import (
	"context"
	"net/url"
)

// Traits are a node's traits.
func (c *Client) Traits(ctx context.Context, ident string) ([]string, error) {
	var list struct {
		Traits []string `json:"traits"`
	}
	err := c.call(ctx, "GET", nodePath(ident, "/traits"), nil, nil, &list)
	return list.Traits, err
}

// SetTraits replaces all of a node's traits.
func (c *Client) SetTraits(ctx context.Context, ident string, traits []string) error {
	if traits == nil {
		traits = []string{}
	}
	return c.call(ctx, "PUT", nodePath(ident, "/traits"), nil, map[string]any{"traits": traits}, nil)
}

// AddTrait gives a node a trait; having it already is no error.
func (c *Client) AddTrait(ctx context.Context, ident, trait string) error {
	return c.call(ctx, "PUT", nodePath(ident, "/traits/"+url.PathEscape(trait)), nil, nil, nil)
}

// RemoveTrait takes a trait from a node; NotFound when it has not got it.
func (c *Client) RemoveTrait(ctx context.Context, ident, trait string) error {
	return c.call(ctx, "DELETE", nodePath(ident, "/traits/"+url.PathEscape(trait)), nil, nil, nil)
}
