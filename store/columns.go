package store

import (
	"database/sql"
	"fmt"
	"strings"
)

// field is one column's way between a struct and its row. Scan takes what the database gave (database/sql); value
// gives what it is to keep, and puts whatever must not be read there into s.
type field interface {
	sql.Scanner
	value(name string, s secrets) (any, error)
}

// revealer is a field of which parts are kept in the row's secrets. The path is what value gave, without the column.
type revealer interface {
	reveal(path []string, text string)
}

// column is a row of an entity's table: the name in the database, which for nodes and ports is the name on the wire.
type column[T any] struct {
	name  string
	place func(*T) field
	// quiet columns change without a new version: what the store itself writes about work under way.
	quiet bool
	// once columns are written when the row is made and never again.
	once bool
	// sort is the SQL to order by, where that is allowed; "-" is the column itself.
	sort string
}

// table is how an entity's struct and its rows correspond. Its columns drive select, insert and update alike, so that a
// new field is one row here (and one in the migrations).
type table[T any] struct {
	name    string
	columns []column[T]
	// hidden are secrets with no column of their own, by the name under which they are kept.
	hidden []column[T]
	uuid   func(*T) string
}

// row is what the database is to keep of one value: a value for each column, and the secrets apart.
type row struct {
	values  []any
	secrets secrets
}

// list is the columns' names in order, with the secrets last, each with the prefix ("n." or "").
func (t *table[T]) list(prefix string) string {
	var b strings.Builder
	for _, c := range t.columns {
		b.WriteString(prefix + c.name + ", ")
	}
	b.WriteString(prefix + "secrets")
	return b.String()
}

// encode gives the row of v.
func (t *table[T]) encode(v *T) (row, error) {
	r := row{values: make([]any, len(t.columns)), secrets: secrets{}}
	for i, c := range t.columns {
		value, err := c.place(v).value(c.name, r.secrets)
		if err != nil {
			return row{}, fmt.Errorf("cannot store %s of %s %s: %w", c.name, t.name, t.uuid(v), err)
		}
		r.values[i] = value
	}
	for _, c := range t.hidden {
		if _, err := c.place(v).value(c.name, r.secrets); err != nil {
			return row{}, err
		}
	}
	return r, nil
}

// scanner is a row under the cursor: *sqlx.Rows or *sqlx.Row.
type scanner interface {
	Scan(dest ...any) error
}

// scan reads a row that was selected by list, preceded by what more goes first.
func (t *table[T]) scan(k *keyring, rows scanner, v *T, first ...any) error {
	var sealed []byte
	dest := make([]any, 0, len(first)+len(t.columns)+1)
	dest = append(dest, first...)
	for _, c := range t.columns {
		dest = append(dest, c.place(v))
	}
	if err := rows.Scan(append(dest, &sealed)...); err != nil {
		return err
	}
	return t.reveal(k, v, sealed)
}

// reveal puts the secrets of the row back to their places in v.
func (t *table[T]) reveal(k *keyring, v *T, sealed []byte) error {
	if len(sealed) == 0 {
		return nil
	}
	hidden, err := k.openSecrets(sealed, t.name+"/"+t.uuid(v)+"/secrets")
	if err != nil {
		return fmt.Errorf("cannot read the secrets of %s %s: %w", t.name, t.uuid(v), err)
	}
	for path, text := range hidden {
		parts := splitPath(path)
		if f := t.field(v, parts[0]); f != nil {
			f.reveal(parts[1:], text)
		}
	}
	return nil
}

func (t *table[T]) field(v *T, name string) revealer {
	for _, columns := range [][]column[T]{t.columns, t.hidden} {
		for _, c := range columns {
			if c.name == name {
				f, _ := c.place(v).(revealer)
				return f
			}
		}
	}
	return nil
}

// insert writes a new row.
func (t *table[T]) insert(c *conn, v *T) error {
	r, err := t.encode(v)
	if err != nil {
		return err
	}
	sealed, err := c.store.keys.sealSecrets(r.secrets, t.name+"/"+t.uuid(v)+"/secrets")
	if err != nil {
		return err
	}
	marks := strings.Repeat("?, ", len(t.columns)) + "?"
	_, err = c.exec("INSERT INTO "+t.name+" ("+t.list("")+") VALUES ("+marks+")", append(r.values, sealed)...)
	return err
}

// changes is what differs between two rows of one entity.
type changes struct {
	names  []string
	values []any
	loud   bool // something other than a quiet column differs
}

// diff finds the columns in which the row of v, whose UUID is given, is no longer as before.
func (t *table[T]) diff(k *keyring, uuid string, before, after row) (changes, error) {
	var d changes
	for i, c := range t.columns {
		if c.once || same(before.values[i], after.values[i]) {
			continue
		}
		d.names = append(d.names, c.name)
		d.values = append(d.values, after.values[i])
		d.loud = d.loud || !c.quiet
	}
	if !before.secrets.equal(after.secrets) {
		sealed, err := k.sealSecrets(after.secrets, t.name+"/"+uuid+"/secrets")
		if err != nil {
			return d, err
		}
		d.names = append(d.names, "secrets")
		d.values = append(d.values, sealed)
		d.loud = true
	}
	return d, nil
}

// assign is the changes as the SET list of an update.
func (d changes) assign() string { return strings.Join(d.names, " = ?, ") + " = ?" }

func same(a, b any) bool { return a == b }
