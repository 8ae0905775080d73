package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// kind is all that is particular to one sort of record. T is the record, Q the query that lists select by.
type kind[T, Q any] struct {
	*table[T]
	noun string // as sentences begin: "Port"
	head func(*T) head
	// keys are the columns by which Get finds a record that is not named by its UUID; nil is none.
	keys func(ident string) (column, value string)
	page func(*Q) ingot.Page
	// match adds what the query asks for; nil selects everything.
	match  func(d dialect, w *where, q *Q)
	unique []unique[T]
	// node is the node that a record belongs to, for its events; nil where it belongs to none.
	node func(*T) string
	// tidy brings values to the form in which they are kept; nil keeps them as they are.
	tidy func(*T)
	// judge refuses a record that does not go with the rest of the store; was is zero for a new one.
	judge func(t *tx, v, was *T) error
	// free refuses to delete a record that others need.
	free func(t *tx, v *T) error
}

// head are the fields of a record that the store itself fills in.
type head struct {
	uuid             *string
	version          *int64
	created, updated *time.Time
}

// unique is something that no two records may have in common.
type unique[T any] struct {
	where  string
	values func(*T) []any // nil where the record has nothing of the sort
	// sentence says what is taken, by which other record.
	sentence func(v, other *T) string
}

// Records are the rows of one sort: ports, chassis and the like.
type Records[T, Q any] struct {
	store *Store
	kind  *kind[T, Q]
}

func (k *kind[T, Q]) missing(ident string) error {
	return ingot.Errorf(ingot.NotFound, "%s %s could not be found.", k.noun, ident)
}

// selected reads the rows that tail selects, orders and locks.
func (k *kind[T, Q]) selected(c *conn, tail string, args ...any) ([]T, error) {
	return selected(c, k.table, tail, args...)
}

// one reads the record for which the condition holds.
func (k *kind[T, Q]) one(c *conn, where, ident string) (v T, err error) {
	found, err := k.selected(c, where, ident)
	switch {
	case err != nil:
		return v, err
	case len(found) == 0 || ident == "":
		return v, k.missing(ident)
	}
	return found[0], nil
}

// Get gives the record with this UUID or, where its sort has them, name or address. NotFound.
func (r *Records[T, Q]) Get(ctx context.Context, ident string) (T, error) {
	column, value := "uuid", strings.ToLower(ident)
	if uuid.Validate(ident) != nil && r.kind.keys != nil {
		column, value = r.kind.keys(ident)
	}
	v, err := r.kind.one(r.store.find(ctx), has(column), value)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = r.kind.missing(ident)
	}
	return v, r.store.sentence(err)
}

// List gives the records that match, a page at a time; a negative limit gives all. NotFound: the marker is none;
// Invalid: the sort key is no column that can be sorted by.
func (r *Records[T, Q]) List(ctx context.Context, q Q) ([]T, error) {
	w := &where{}
	if r.kind.match != nil {
		r.kind.match(r.store.dialect, w, &q)
	}
	found, err := page(r.store.read(ctx), r.kind.table, w, r.kind.page(&q), r.kind.missing)
	return found, r.store.sentence(err)
}

// Create writes a new record, and fills in what is missing of its UUID, its version (1) and the time of its creation.
// NotFound: what it belongs to; Conflict: something of it is another record's, which the sentence names.
func (r *Records[T, Q]) Create(ctx context.Context, v *T, events ...ingot.Event) error {
	made := *v
	err := r.store.write(ctx, func(t *tx) error {
		made = *v
		if err := r.kind.create(t, &made); err != nil {
			return err
		}
		return t.appendEvents(r.kind.owner(&made), events)
	})
	if err == nil {
		*v = made
	}
	return err
}

func (k *kind[T, Q]) owner(v *T) string {
	if k.node == nil {
		return ""
	}
	return k.node(v)
}

func (k *kind[T, Q]) create(t *tx, v *T) error {
	h := k.head(v)
	if *h.uuid = strings.ToLower(*h.uuid); *h.uuid == "" {
		*h.uuid = uuid.NewString()
	}
	*h.version, *h.created, *h.updated = 1, t.now, time.Time{}
	if err := k.settle(t, v, new(T)); err != nil {
		return err
	}
	return k.insert(&t.conn, v)
}

// settle tidies a record and holds it against the others.
func (k *kind[T, Q]) settle(t *tx, v, was *T) error {
	if k.tidy != nil {
		k.tidy(v)
	}
	for _, u := range k.unique {
		values := u.values(v)
		if values == nil || slices.Equal(values, u.values(was)) {
			continue
		}
		taken, err := k.selected(&t.conn, u.where, values...)
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			return ingot.Errorf(ingot.Conflict, "%s", u.sentence(v, &taken[0]))
		}
	}
	if k.judge == nil {
		return nil
	}
	return k.judge(t, v, was)
}

// lock reads and locks the record to be written. A version other than 0 must be the record's.
func (k *kind[T, Q]) lock(t *tx, id string, version int64) (T, error) {
	v, err := k.one(&t.conn, "uuid = ?"+t.store.dialect.forUpdate, id)
	if err == nil && version != 0 && version != *k.head(&v).version {
		err = stale(k.noun, id)
	}
	return v, err
}

// Change changes a record as it is in the store and gives it as it is afterwards; a change that leaves everything as it
// was writes nothing. NotFound; Conflict: the version is another one (0 takes any), or something of it is another
// record's. Change may be called more than once, and must not call the store.
func (r *Records[T, Q]) Change(ctx context.Context, id string, version int64, change func(*T) error, events ...ingot.Event) (T, error) {
	var v T
	err := r.store.write(ctx, func(t *tx) (err error) {
		if v, err = r.kind.lock(t, id, version); err != nil {
			return err
		}
		if err := r.kind.apply(t, &v, change); err != nil {
			return err
		}
		return t.appendEvents(r.kind.owner(&v), events)
	})
	return v, err
}

func (k *kind[T, Q]) apply(t *tx, v *T, change func(*T) error) error {
	before, err := k.encode(v)
	if err != nil {
		return err
	}
	was := *v
	if err := change(v); err != nil {
		return callers{err}
	}
	old, h := k.head(&was), k.head(v)
	*h.uuid, *h.version, *h.created, *h.updated = *old.uuid, *old.version, *old.created, *old.updated
	if err := k.settle(t, v, &was); err != nil {
		return err
	}
	after, err := k.encode(v)
	if err != nil {
		return err
	}
	diff, err := k.diff(t.store.keys, *h.uuid, before, after)
	if err != nil || len(diff.names) == 0 {
		return err
	}
	if diff.loud {
		*h.version, *h.updated = *h.version+1, t.now
	}
	_, err = t.exec("UPDATE "+k.name+" SET "+diff.assign()+", version = ?, updated_at = ? WHERE uuid = ?",
		append(diff.values, *h.version, micros(*h.updated), *h.uuid)...)
	return err
}

// Delete removes a record. NotFound; Conflict: the version is another one (0 takes any); Invalid: others need it.
func (r *Records[T, Q]) Delete(ctx context.Context, id string, version int64, events ...ingot.Event) error {
	return r.store.write(ctx, func(t *tx) error {
		v, err := r.kind.lock(t, id, version)
		if err != nil {
			return err
		}
		if r.kind.free != nil {
			if err := r.kind.free(t, &v); err != nil {
				return err
			}
		}
		if _, err := t.exec("DELETE FROM "+r.kind.name+" WHERE uuid = ?", id); err != nil {
			return err
		}
		return t.appendEvents(r.kind.owner(&v), events)
	})
}
