package store

import (
	"context"
	"encoding/json"

	"github.com/ingot-metal/ingot"
)

// BIOSSettings gives a node's firmware settings as they were last read, by name.
func (s *Store) BIOSSettings(ctx context.Context, node string) ([]ingot.BIOSSetting, error) {
	settings, err := s.read(ctx).biosSettings(node)
	return settings, s.sentence(err)
}

func (c *conn) biosSettings(node string) ([]ingot.BIOSSetting, error) {
	rows, err := c.rows("SELECT registry, name, value, created_at, updated_at FROM bios_settings WHERE node_uuid = ? ORDER BY name", node)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var settings []ingot.BIOSSetting
	for rows.Next() {
		var b ingot.BIOSSetting
		if err := rows.Scan(record[ingot.BIOSRegistry]{at: &b.BIOSRegistry}, (*text)(&b.Name), (*text)(&b.Value), (*moment)(&b.CreatedAt), (*moment)(&b.UpdatedAt)); err != nil {
			return nil, err
		}
		settings = append(settings, b)
	}
	return settings, rows.Err()
}

// PutBIOSSettings replaces a node's firmware settings: those that are as before stay untouched. NotFound: the node.
func (s *Store) PutBIOSSettings(ctx context.Context, node string, settings []ingot.BIOSSetting) error {
	return s.write(ctx, func(t *tx) error {
		if _, err := t.node("uuid = ?", node); err != nil {
			return err
		}
		before, err := t.biosSettings(node)
		if err != nil {
			return err
		}
		gone := map[string]bool{}
		for _, b := range before {
			gone[b.Name] = true
		}
		for _, b := range settings {
			delete(gone, b.Name)
			if err := t.putBIOSSetting(node, b); err != nil {
				return err
			}
		}
		for name := range gone {
			if _, err := t.exec("DELETE FROM bios_settings WHERE node_uuid = ? AND name = ?", node, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) putBIOSSetting(node string, b ingot.BIOSSetting) error {
	registry, err := json.Marshal(b.BIOSRegistry)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO bios_settings (node_uuid, name, value, registry, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (node_uuid, name) DO UPDATE SET value = excluded.value, registry = excluded.registry, updated_at = ?
		WHERE bios_settings.value <> excluded.value OR bios_settings.registry <> excluded.registry`,
		node, clean(b.Name), clean(b.Value), clean(string(registry)), micros(t.now), micros(t.now))
	return err
}
