package client

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// Operation is work on a node as the API shows it: what is being done, and what is waited for.
type Operation struct {
	UUID       string        `json:"uuid"`
	Kind       ingot.Kind    `json:"kind"`
	Phase      ingot.Phase   `json:"phase"`
	Step       string        `json:"step"`
	Attempt    int           `json:"attempt"`
	WaitingFor string        `json:"waiting_for"`
	StartedAt  string        `json:"started_at"`
	EndedAt    string        `json:"ended_at"`
	Outcome    ingot.Outcome `json:"outcome"`
	Error      string        `json:"error"`
}

// Operations are a node's last operations, newest first. Ironic has none: NotFound there.
func (c *Client) Operations(ctx context.Context, ident string) ([]Operation, error) {
	var list struct {
		Operations []Operation `json:"operations"`
	}
	err := c.call(ctx, "GET", nodePath(ident, "/operations"), nil, nil, &list)
	return list.Operations, err
}
