package store

import (
	"context"
	"fmt"
	"strings"
)

// SealedColumns are the columns that the rotation of the secret goes through, as TABLE.COLUMN.
func SealedColumns() []string {
	var names []string
	for _, c := range sealedColumns() {
		names = append(names, c.table+"."+c.column)
	}
	return names
}

// KeepPrepared has a store on SQLite keep fewer compiled statements.
func KeepPrepared(s *Store, most int) { s.compiled.most = most }

// Plans are the query plans of the statements that a store on SQLite has compiled, by statement.
func Plans(ctx context.Context, s *Store) (map[string][]string, error) {
	plans := map[string][]string{}
	for _, kept := range []map[string]*statement{s.compiled.kept, s.writer.kept.kept} {
		for query := range kept {
			rows, err := s.readers.QueryxContext(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
			if err != nil {
				return nil, err
			}
			for rows.Next() {
				row, err := rows.SliceScan()
				if err != nil {
					return nil, err
				}
				plans[query] = append(plans[query], fmt.Sprint(row[3]))
			}
			if err := rows.Close(); err != nil {
				return nil, err
			}
		}
	}
	return plans, nil
}

// Tamper changes the database behind the store's back.
func Tamper(ctx context.Context, s *Store, query string, args ...any) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(query, args...)
		return err
	})
}
