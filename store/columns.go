package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"
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
	// open tables are read without the secrets, which are of none of their columns.
	open bool

	listing sync.Once
	listed  string // what list gives
}

// row is what the database is to keep of one value: a value for each column, and the secrets apart.
type row struct {
	values  []any
	secrets secrets
}

// list is the columns' names in order, with the secrets last.
func (t *table[T]) list() string {
	t.listing.Do(func() {
		names := make([]string, 0, len(t.columns)+1)
		for _, c := range t.columns {
			names = append(names, c.name)
		}
		if !t.open {
			names = append(names, "secrets")
		}
		t.listed = strings.Join(names, ", ")
	})
	return t.listed
}

// only is the table with no more than the named columns, and the UUID; nil names all. It is for reading. A name that is
// no column is a fault of whoever asks.
func (t *table[T]) only(names []string) (*table[T], error) {
	if names == nil {
		return t, nil
	}
	few, known := &table[T]{name: t.name, hidden: t.hidden, uuid: t.uuid, open: true}, 0
	for _, c := range t.columns {
		wanted := slices.Contains(names, c.name)
		if wanted {
			known++
		}
		if !wanted && c.name != "uuid" {
			continue
		}
		few.columns = append(few.columns, c)
		if _, mayHide := c.place(new(T)).(revealer); mayHide {
			few.open = false
		}
	}
	if known < len(names) {
		return nil, fmt.Errorf("%s have not all of the columns %s", t.name, strings.Join(names, ", "))
	}
	return few, nil
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

// reader reads rows that were selected by list, one after the other, into a value whose places are worked out once.
type reader[T any] struct {
	table  *table[T]
	keys   *keyring
	v      T
	sealed []byte
	places []any
}

func (t *table[T]) reader(k *keyring) *reader[T] {
	r := &reader[T]{table: t, keys: k, places: make([]any, 0, len(t.columns)+1)}
	for _, c := range t.columns {
		r.places = append(r.places, c.place(&r.v))
	}
	if !t.open {
		r.places = append(r.places, &r.sealed)
	}
	return r
}

// read reads a row. What it gives beside an error is as much as could be read.
func (r *reader[T]) read(row scanner) (T, error) {
	r.v = *new(T)
	err := row.Scan(r.places...)
	if err == nil {
		err = r.table.reveal(r.keys, &r.v, r.sealed)
	}
	return r.v, err
}

// scanAll reads every row and closes them.
func scanAll[T any](k *keyring, t *table[T], rows *sqlx.Rows) ([]T, error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []T
	for reader := t.reader(k); rows.Next(); {
		v, err := reader.read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// selected reads the rows that tail selects, orders and locks.
func selected[T any](c *conn, t *table[T], tail string, args ...any) ([]T, error) {
	rows, err := c.rows("SELECT "+t.list()+" FROM "+t.name+" WHERE "+tail, args...)
	if err != nil {
		return nil, err
	}
	return scanAll(c.store.keys, t, rows)
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
	_, err = c.exec("INSERT INTO "+t.name+" ("+t.list()+") VALUES ("+marks+")", append(r.values, sealed)...)
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
