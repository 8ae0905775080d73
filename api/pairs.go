package api

import (
	"slices"
	"strings"
)

// pairs are a JSON object on its way to a client, in the order in which answers have them: that of their names. A page
// of a thousand nodes is some eighty thousand of them, for which maps would be made, filled, sorted and thrown away.
type pairs []pair

type pair struct {
	name  string
	value any
}

// find is where the name is, or would be.
func (m pairs) find(name string) (int, bool) {
	return slices.BinarySearchFunc(m, name, func(m pair, name string) int { return strings.Compare(m.name, name) })
}

// get is the value under a name; false when there is none.
func (m pairs) get(name string) (any, bool) {
	i, there := m.find(name)
	if !there {
		return nil, false
	}
	return m[i].value, true
}

// set puts a value under a name.
func (m *pairs) set(name string, value any) {
	i, there := m.find(name)
	if !there {
		*m = slices.Insert(*m, i, pair{name: name})
	}
	(*m)[i].value = value
}

// replace puts a value in the place of the one that is there, if any.
func (m pairs) replace(name string, value any) {
	if i, there := m.find(name); there {
		m[i].value = value
	}
}

// listing is a list of objects that are made one after the other as they are written.
type listing struct {
	n    int
	item func(i int) pairs
	last string // the marker that goes on after it
}

func listOf[T any](things []T, marker func(*T) string, render func(*T) pairs) listing {
	l := listing{n: len(things), item: func(i int) pairs { return render(&things[i]) }}
	if l.n > 0 {
		l.last = marker(&things[l.n-1])
	}
	return l
}

// MarshalJSON is for pairs within what encoding/json writes.
func (m pairs) MarshalJSON() ([]byte, error) { return appendJSON(nil, m) }
