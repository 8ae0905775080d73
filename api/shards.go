package api

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// ShardStore is what the shards' handler needs of the store.
type ShardStore interface {
	// Shards gives the shards that nodes are in, those with the most nodes first.
	Shards(ctx context.Context) ([]ingot.Shard, error)
}

// listShards is GET /v1/shards. Nodes in no shard are counted as "None", as Ironic's clients know it. There are no
// pages, and no path of one shard.
func listShards(r *request) (response, error) {
	if a := r.args(); a.err != nil {
		return response{}, a.err
	}
	shards, err := r.api.Shards.Shards(r.Context())
	if err != nil {
		return response{}, err
	}
	items := make([]map[string]any, len(shards))
	for i, shard := range shards {
		name := shard.Name
		if name == "" {
			name = "None"
		}
		items[i] = map[string]any{"name": name, "count": shard.Count}
	}
	return response{body: map[string]any{"shards": items}}, nil
}
