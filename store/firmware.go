package store

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// FirmwareComponents gives a node's parts that have firmware, as they were last read, by name.
func (s *Store) FirmwareComponents(ctx context.Context, node string) ([]ingot.FirmwareComponent, error) {
	parts, err := s.read(ctx).firmware(node)
	return parts, s.sentence(err)
}

func (c *conn) firmware(node string) ([]ingot.FirmwareComponent, error) {
	rows, err := c.rows(`SELECT component, initial_version, current_version, last_version_flashed, vendor, model, serial_number, created_at, updated_at
		FROM firmware_components WHERE node_uuid = ? ORDER BY component`, node)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var parts []ingot.FirmwareComponent
	for rows.Next() {
		var f ingot.FirmwareComponent
		if err := rows.Scan(&f.Component, &f.InitialVersion, &f.CurrentVersion, &f.LastVersionFlashed, &f.Vendor, &f.Model, &f.SerialNumber,
			(*moment)(&f.CreatedAt), (*moment)(&f.UpdatedAt)); err != nil {
			return nil, err
		}
		parts = append(parts, f)
	}
	return parts, rows.Err()
}

// PutFirmwareComponents replaces what is known of a node's firmware. A part keeps the version that it was first seen
// with, and the one that was last flashed unless a newer one is given. NotFound: the node.
func (s *Store) PutFirmwareComponents(ctx context.Context, node string, parts []ingot.FirmwareComponent) error {
	return s.write(ctx, func(t *tx) error {
		if _, err := t.node("uuid = ?", node); err != nil {
			return err
		}
		before, err := t.firmware(node)
		if err != nil {
			return err
		}
		gone := map[string]bool{}
		for _, f := range before {
			gone[f.Component] = true
		}
		for _, f := range parts {
			delete(gone, f.Component)
			if err := t.putFirmware(node, f); err != nil {
				return err
			}
		}
		for name := range gone {
			if _, err := t.exec("DELETE FROM firmware_components WHERE node_uuid = ? AND component = ?", node, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) putFirmware(node string, f ingot.FirmwareComponent) error {
	_, err := t.exec(`INSERT INTO firmware_components (node_uuid, component, initial_version, current_version, last_version_flashed, vendor, model, serial_number, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (node_uuid, component) DO UPDATE SET current_version = excluded.current_version, vendor = excluded.vendor, model = excluded.model,
			serial_number = excluded.serial_number, updated_at = ?,
			last_version_flashed = CASE WHEN excluded.last_version_flashed = '' THEN firmware_components.last_version_flashed ELSE excluded.last_version_flashed END
		WHERE firmware_components.current_version <> excluded.current_version OR firmware_components.vendor <> excluded.vendor
			OR firmware_components.model <> excluded.model OR firmware_components.serial_number <> excluded.serial_number
			OR excluded.last_version_flashed NOT IN ('', firmware_components.last_version_flashed)`,
		node, clean(f.Component), clean(f.CurrentVersion), clean(f.CurrentVersion), clean(f.LastVersionFlashed), clean(f.Vendor), clean(f.Model), clean(f.SerialNumber),
		micros(t.now), micros(t.now))
	return err
}
