package api

import (
	"time"

	"github.com/ingot-metal/ingot"
)

// field is a row of a resource's table: one word of the wire, for things of type T that are selected by queries of
// type Q. All that is particular to a field is in its row.
type field[T, Q any] struct {
	name  string
	since int // the first minor version that knows it; below, it is hidden, and naming it is 406
	column[T]
	// from are the columns of the store that the value is made of; nil is the one of the field's name.
	from []string
	// part is a list of things below this one: on the wire a pair of links to it.
	part   bool
	brief  bool // part of the default list
	create bool // POST may set it
	patch  bool // PATCH may change it
	// required refuses null and absence, also after a patch.
	required bool
	max      int // characters; 0 is no limit
	secret   func(any) any
	// rule is what patching the field needs, where that is not the route's rule; ruled says which operations it is for, nil
	// all. see is what seeing the value needs.
	rule  string
	ruled func(patchOp) bool
	see   string
	// readBy names the step or handler that acts on the value: a field that can be set and that nobody reads would be
	// accepted and ignored. A test looks at every row.
	readBy string
	filter func(q *Q, value string) error // list parameter of the same name
	// filterSince is for filters that came later than their field.
	filterSince int
	// check refuses values that this build cannot act on.
	check func(v any) error
}

// settable says whether a client may ever give the field.
func (f *field[T, Q]) settable() bool { return f.create || f.patch }

// kind is the sort of value that a column takes from clients.
type kind int

// The kinds.
const (
	kindComputed kind = iota // never taken
	kindText
	kindUUID
	kindMAC
	kindFlag
	kindObject
	kindInteger
	kindList // taken as []any
)

// words are the JSON types of a kind, as Ironic's schema errors list them.
func (k kind) words(required bool) string {
	switch {
	case k == kindInteger:
		return "'integer'"
	case k == kindList && required:
		return "'array'"
	case k == kindList:
		return "'array', 'null'"
	case required:
		return "'string'"
	case k == kindFlag:
		return "'string', 'boolean', 'null'"
	case k == kindObject:
		return "'object', 'null'"
	}
	return "'string', 'null'"
}

// column is where a field's value is kept. get gives the wire's value with its secrets; set takes a value that was
// checked against the kind: a string, a bool, an object, an int, or nil.
type column[T any] struct {
	kind  kind
	get   func(*T) any
	set   func(*T, any)
	order bool // lists can be sorted by it
}

// text is a string; "" is null on the wire.
func text[T any, S ~string](at func(*T) *S) column[T] {
	return column[T]{
		kind: kindText, order: true,
		get: func(t *T) any {
			if *at(t) == "" {
				return nil
			}
			return string(*at(t))
		},
		set: func(t *T, v any) {
			s, _ := v.(string)
			*at(t) = S(s)
		},
	}
}

// emptyText is a string that is "" on the wire when it is empty.
func emptyText[T any](at func(*T) *string) column[T] {
	c := text(at)
	c.get = func(t *T) any { return *at(t) }
	return c
}

// id is a UUID.
func id[T any](at func(*T) *string) column[T] {
	c := text(at)
	c.kind = kindUUID
	return c
}

// flag is a boolean that is never null.
func flag[T any](at func(*T) *bool) column[T] {
	return column[T]{
		kind: kindFlag, order: true,
		get: func(t *T) any { return *at(t) },
		set: func(t *T, v any) { *at(t), _ = v.(bool) },
	}
}

// maybe is a boolean or null.
func maybe[T any](at func(*T) **bool) column[T] {
	return column[T]{
		kind: kindFlag, order: true,
		get: func(t *T) any {
			if p := *at(t); p != nil {
				return *p
			}
			return nil
		},
		set: func(t *T, v any) {
			*at(t) = nil
			if b, ok := v.(bool); ok {
				*at(t) = &b
			}
		},
	}
}

// integer is a whole number of 32 bits.
func integer[T any](at func(*T) *int) column[T] {
	return column[T]{
		kind: kindInteger, order: true,
		get: func(t *T) any { return *at(t) },
		set: func(t *T, v any) { *at(t), _ = v.(int) },
	}
}

// object is a JSON object that is {} when it is empty.
func object[T any](at func(*T) *map[string]any) column[T] {
	return column[T]{
		kind: kindObject,
		get: func(t *T) any {
			if *at(t) == nil {
				return map[string]any{}
			}
			return *at(t)
		},
		set: func(t *T, v any) { *at(t), _ = v.(map[string]any) },
	}
}

// sealed is an object whose secrets are kept as such.
func sealed[T any](at func(*T) *map[string]any) column[T] {
	c := object(at)
	c.set = func(t *T, v any) {
		m, _ := v.(map[string]any)
		*at(t) = ingot.Seal(m)
	}
	return c
}

// strung is a list of strings that is [] when it is empty.
func strung[T any](at func(*T) *[]string) column[T] {
	return column[T]{
		kind: kindList,
		get: func(t *T) any {
			list := make([]any, len(*at(t))) // as a patch changes it
			for i, item := range *at(t) {
				list[i] = item
			}
			return list
		},
		set: func(t *T, v any) {
			items, _ := v.([]any)
			list := make([]string, len(items))
			for i, item := range items {
				list[i], _ = item.(string) // the field's check has looked
			}
			*at(t) = list
		},
	}
}

// objects is a list of objects, whose secrets are kept as such; [] when it is empty.
func objects[T any](at func(*T) *[]map[string]any) column[T] {
	return column[T]{
		kind: kindList,
		get: func(t *T) any {
			list := make([]any, len(*at(t)))
			for i, item := range *at(t) {
				list[i] = item
			}
			return list
		},
		set: func(t *T, v any) {
			items, _ := v.([]any)
			list := make([]map[string]any, len(items))
			for i, item := range items {
				object, _ := item.(map[string]any) // the field's check has looked
				list[i] = ingot.Seal(object)
			}
			*at(t) = list
		},
	}
}

// moment is a time; the zero time is null.
func moment[T any](at func(*T) *time.Time) column[T] {
	return column[T]{order: true, get: func(t *T) any { return wireTime(*at(t)) }}
}

// computed is a value that clients cannot set.
func computed[T any](get func(*T) any) column[T] { return column[T]{get: get} }

// shown takes away a column's setter: the field is for reading.
func shown[T any](c column[T]) column[T] { return column[T]{kind: c.kind, get: c.get, order: c.order} }

// parts is the column of a field that is links to a list below: view.link makes them.
func parts[T any]() column[T] { return computed(func(*T) any { return nil }) }

// wireTime is a time as Ironic writes it (Python's isoformat): microseconds only when there are any.
func wireTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05+00:00")
	}
	return t.Format("2006-01-02T15:04:05.000000+00:00")
}
