package store

import (
	"fmt"
	"strings"
)

// sole makes a column one that no two records have in common, save those that have nothing in it. The sentence has a
// place for the value; label says which other record has it, nil says no more.
func sole[T any](column string, value func(*T) string, sentence string, label func(*T) string) unique[T] {
	return unique[T]{
		where: has(column),
		values: func(v *T) []any {
			if value(v) == "" {
				return nil
			}
			return []any{value(v)}
		},
		sentence: func(v, other *T) string {
			said := fmt.Sprintf(sentence, value(v))
			if label != nil {
				said += " It is " + label(other) + "."
			}
			return said
		},
	}
}

// byName are the keys of records that have names.
func byName(ident string) (column, value string) { return "name", ident }

// byAddress are the keys of records that have names and MAC addresses.
func byAddress(ident string) (column, value string) {
	if strings.Count(ident, ":") == 5 {
		return "address", strings.ToLower(ident)
	}
	return "name", ident
}

// sameNode is NotFound when a record's node is another one than before and not there.
func (t *tx) sameNode(id, was string) error {
	if id == was {
		return nil
	}
	var version int64
	found, err := t.one([]any{&version}, "SELECT version FROM nodes WHERE uuid = ?", id)
	if err == nil && !found {
		err = nodeNotFound(id)
	}
	return err
}
