package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// notCopied are tables whose rows mean something in their own database only.
var notCopied = []string{"goose_db_version", "event_epoch", "conductors", "timeline"}

// Empty says whether the database holds no nodes and no events.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	var filled bool
	_, err := s.read(ctx).one([]any{&filled}, "SELECT EXISTS (SELECT 1 FROM nodes) OR EXISTS (SELECT 1 FROM events)")
	return !filled, s.sentence(err)
}

// CopyTo copies everything from an SQLite store into an empty PostgreSQL one that has the same secret, in one transaction,
// and gives how many rows went into each table. What was claimed is put back there. Invalid: the other database is not
// empty.
func (s *Store) CopyTo(ctx context.Context, to *Store) (map[string]int64, error) {
	if s.writer == nil || to.writer != nil {
		return nil, ingot.Errorf(ingot.Invalid, "cannot copy: copies go from an SQLite file to a PostgreSQL database")
	}
	if empty, err := to.Empty(ctx); err != nil || !empty {
		if err == nil {
			err = ingot.Errorf(ingot.Invalid, "cannot copy: the PostgreSQL database holds records already; give an empty one")
		}
		return nil, err
	}
	copied := map[string]int64{}
	_, err := to.tryPostgres(ctx, to.readers, func(t *tx) error {
		tables, err := t.copyOrder()
		if err != nil {
			return err
		}
		for _, table := range tables {
			if copied[table], err = t.copyTable(s.read(ctx), table); err != nil {
				return fmt.Errorf("cannot copy table %s: %w", table, err)
			}
		}
		_, err = t.putBack("")
		return err
	})
	if err != nil {
		return nil, to.sentence(err)
	}
	to.epoch, err = eventEpoch(to.read(ctx)) // events that come are numbered after those that were copied
	return copied, to.sentence(err)
}

// copyOrder gives the tables, each after those that its foreign keys name.
func (t *tx) copyOrder() ([]string, error) {
	tables, err := t.list("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
	if err != nil {
		return nil, err
	}
	var ordered []string
	placed := map[string]bool{}
	for _, name := range notCopied {
		placed[name] = true
	}
	for range tables {
		for _, table := range tables {
			needs, err := t.list("SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass(?)", table)
			if err != nil {
				return nil, err
			}
			waits := slices.ContainsFunc(needs, func(n string) bool { return n != table && !placed[n] })
			if !placed[table] && !waits {
				placed[table], ordered = true, append(ordered, table)
			}
		}
	}
	if len(ordered)+len(notCopied) < len(tables) {
		return nil, ingot.Errorf(ingot.Internal, "tables name each other in a circle: %v of %v were placed", ordered, tables)
	}
	return ordered, nil
}

// copyColumn is a column of the table to copy into.
type copyColumn struct {
	name, kind string
	identity   bool
}

func (t *tx) copyColumns(table string) ([]copyColumn, error) {
	rows, err := t.rows("SELECT column_name, data_type, is_identity = 'YES' FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position", table)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var columns []copyColumn
	for rows.Next() {
		var c copyColumn
		if err := rows.Scan(&c.name, &c.kind, &c.identity); err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}

// copyTable reads a table of the other database row by row.
func (t *tx) copyTable(from *conn, table string) (int64, error) {
	columns, err := t.copyColumns(table)
	if err != nil {
		return 0, err
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	list := strings.Join(names, ", ")
	rows, err := from.ext.QueryxContext(from.ctx, "SELECT "+list+" FROM "+table)
	if err != nil {
		return 0, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	insert := "INSERT INTO " + table + " (" + list + ") OVERRIDING SYSTEM VALUE VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
	if table == "encryption_keys" { // the current one is there since the start
		insert += " ON CONFLICT DO NOTHING"
	}
	n := int64(0)
	for ; rows.Next(); n++ {
		values, err := rows.SliceScan()
		if err != nil {
			return n, err
		}
		for i, c := range columns {
			values[i] = asPostgres(values[i], c.kind)
		}
		if _, err := t.exec(insert, values...); err != nil {
			return n, err
		}
	}
	for _, c := range columns {
		if c.identity {
			if _, err := t.exec("SELECT setval(pg_get_serial_sequence(?, ?), (SELECT COALESCE(max("+c.name+"), 0) + 1 FROM "+table+"), false)", table, c.name); err != nil {
				return n, err
			}
		}
	}
	return n, rows.Err()
}

// asPostgres is a value of SQLite, which knows fewer types, as a column of PostgreSQL takes it.
func asPostgres(v any, kind string) any {
	switch v := v.(type) {
	case int64:
		if kind == "boolean" {
			return v != 0
		}
	case []byte:
		if kind != "bytea" {
			return string(v)
		}
	case string:
		if kind == "bytea" {
			return []byte(v)
		}
	}
	return v
}
