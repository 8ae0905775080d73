package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// sealed is a column of ciphertexts. The values of the key's columns, joined with slashes, are in each ciphertext's place.
type sealed struct {
	table, column string
	key           []string
	batch         int // rows in one transaction
}

// sealedColumns are all of them; a test holds the list against the schema.
func sealedColumns() []sealed {
	columns := []sealed{
		{"operation_steps", "secrets", []string{"operation", "position"}, 200},
		{"blobs", "data", []string{"key"}, 4}, // config drives may be many megabytes
	}
	for _, table := range []string{
		"nodes", "ports", "portgroups", "operations", "chassis", "volume_connectors", "volume_targets", "deploy_templates", "runbooks",
		"inspection_rules", "allocations", "flavors", "hypervisors", "guest_bmcs",
	} {
		columns = append(columns, sealed{table, "secrets", []string{"uuid"}, 200})
	}
	return columns
}

// keyOf is the SQL that gives the ID of the key a ciphertext was made with.
func (c sealed) keyOf() string { return fmt.Sprintf("substr(%s, 2, %d)", c.column, keyIDSize) }

// Rotate encrypts anew, under the current secret, what is encrypted under others, which have to be given too, and then
// forgets these. Each batch is a transaction; after a crash the next call goes on with what is left. It gives how many
// records were encrypted anew.
func (s *Store) Rotate(ctx context.Context) (int, error) {
	total := 0
	for _, c := range sealedColumns() {
		var after []any
		for more := true; more; {
			var n int
			err := s.write(ctx, func(t *tx) (err error) {
				after, n, err = t.sealAgain(c, after)
				return err
			})
			if err != nil {
				return total, fmt.Errorf("cannot encrypt %s anew: %w", c.table, err)
			}
			total += n
			more = n == c.batch
		}
	}
	return total, s.write(ctx, s.forgetKeys)
}

// sealAgain does one batch, of rows whose keys come after the given one, and gives the last one's.
func (t *tx) sealAgain(c sealed, after []any) (last []any, n int, err error) {
	keys, current := t.store.keys, t.store.keys.keys[0]
	list := strings.Join(c.key, ", ")
	query := "SELECT " + list + ", " + c.column + " FROM " + c.table + " WHERE " + c.column + " IS NOT NULL AND " + c.keyOf() + " <> ?"
	args := []any{current.id[:]}
	if after != nil {
		query += " AND (" + list + ") > (?" + strings.Repeat(", ?", len(c.key)-1) + ")"
		args = append(args, after...)
	}
	rows, err := t.rows(query+" ORDER BY "+list+" LIMIT ?"+t.store.dialect.forUpdate, append(args, c.batch)...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var found [][]any
	for rows.Next() {
		row, err := rows.SliceScan()
		if err != nil {
			return nil, 0, err
		}
		found = append(found, row)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	for _, row := range found {
		last = row[:len(c.key)]
		old, err := bytesOf(row[len(c.key)])
		if err != nil {
			return nil, 0, err
		}
		place := c.place(last)
		data, err := keys.open(old, place)
		if err != nil {
			return nil, 0, err
		}
		again, err := keys.seal(data, place)
		if err != nil {
			return nil, 0, err
		}
		if _, err := t.exec("UPDATE "+c.table+" SET "+c.column+" = ? WHERE "+strings.Join(c.key, " = ? AND ")+" = ?", concat([]any{again}, last)...); err != nil {
			return nil, 0, err
		}
	}
	return last, len(found), nil
}

// place is the additional data of the ciphertext in the row with this key.
func (c sealed) place(key []any) string {
	parts := []string{c.table}
	for _, part := range key {
		parts = append(parts, fmt.Sprint(part))
	}
	return strings.Join(append(parts, c.column), "/")
}

// forgetKeys removes the check values of keys under which nothing is encrypted any more: their secrets alone open this
// database no longer.
func (s *Store) forgetKeys(t *tx) error {
	known, err := t.list("SELECT id FROM encryption_keys WHERE id <> ?", s.keys.keys[0].name())
	if err != nil {
		return err
	}
	for _, id := range known {
		if table, err := t.sealedUnder(id); err != nil || table != "" {
			return err // written meanwhile by a process whose current secret is another: for the next call
		}
		if _, err := t.exec("DELETE FROM encryption_keys WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// sealedUnder names a table in which something is encrypted under the key, or gives "".
func (c *conn) sealedUnder(id string) (string, error) {
	raw, err := keyID(id)
	if err != nil {
		return "", err
	}
	for _, s := range sealedColumns() {
		var found bool
		if _, err := c.one([]any{&found}, "SELECT EXISTS (SELECT 1 FROM "+s.table+" WHERE "+s.keyOf()+" = ?)", raw); err != nil {
			return "", err
		}
		if found {
			return s.table, nil
		}
	}
	return "", nil
}

// refuseMissingKeys refuses secrets that leave something in the database unreadable: known are the keys that it was
// written with.
func refuseMissingKeys(c *conn, keys *keyring, known map[string]string) error {
	for id := range known {
		if slices.ContainsFunc(keys.keys, func(k key) bool { return k.name() == id }) {
			continue
		}
		table, err := c.sealedUnder(id)
		if err != nil {
			return err
		}
		if table != "" {
			return ingot.Errorf(ingot.Invalid, "cannot open the database: what is in %s is encrypted with key %s, whose secret is not among those that were given: put it back as the last line of the key file, and run `ingot db rotate-secret` before it is removed", table, id)
		}
	}
	return nil
}
