package store

import (
	"context"
	"encoding/json"

	"github.com/ingot-metal/ingot"
)

// Inventory gives what inspection found in a node, and the raw data beside it. NotFound: the node was never inspected.
func (s *Store) Inventory(ctx context.Context, node string) (ingot.Inventory, map[string]any, error) {
	var inventory ingot.Inventory
	var plugin map[string]any
	found, err := s.read(ctx).one([]any{record[ingot.Inventory]{at: &inventory}, document{&plugin, false}}, "SELECT inventory, plugin FROM node_inventory WHERE node_uuid = ?", node)
	if err == nil && !found {
		err = ingot.Errorf(ingot.NotFound, "Node inventory record for node %s could not be found.", node)
	}
	return inventory, plugin, s.sentence(err)
}

// PutInventory replaces a node's inventory. NotFound: the node.
func (s *Store) PutInventory(ctx context.Context, node string, inventory *ingot.Inventory, plugin map[string]any) error {
	return s.write(ctx, func(t *tx) error {
		if _, err := t.node("uuid = ?", node); err != nil {
			return err
		}
		return t.putInventory(node, inventory, plugin)
	})
}

func (t *tx) putInventory(node string, inventory *ingot.Inventory, plugin map[string]any) error {
	text, err := json.Marshal(inventory)
	if err != nil {
		return err
	}
	var extra any
	if plugin != nil {
		data, err := json.Marshal(plugin)
		if err != nil {
			return err
		}
		extra = string(data)
	}
	_, err = t.exec(`INSERT INTO node_inventory (node_uuid, inventory, plugin, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (node_uuid) DO UPDATE SET inventory = excluded.inventory, plugin = excluded.plugin, updated_at = excluded.updated_at`,
		node, string(text), extra, micros(t.now), micros(t.now))
	return err
}
