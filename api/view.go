package api

import (
	"slices"
	"strings"
)

// view is the fields that an answer shows, in the order of the wire.
type view[T, Q any] []*field[T, Q]

// viewKey names the whole view of a table (by its first row) in a version.
type viewKey struct {
	table any
	minor int
}

// viewOf is the fields that the client's version knows and, when some were selected, only those.
func viewOf[T, Q any](r *request, table []field[T, Q], selected []string) view[T, Q] {
	key := viewKey{&table[0], r.minor}
	whole, made := r.tables.views.Load(key)
	if !made {
		whole, _ = r.tables.views.LoadOrStore(key, wholeView(r, table))
	}
	all, _ := whole.(view[T, Q])
	if selected == nil {
		return all
	}
	some := make(view[T, Q], 0, len(selected))
	for _, f := range all {
		if slices.Contains(selected, f.name) {
			some = append(some, f)
		}
	}
	return some
}

func wholeView[T, Q any](r *request, table []field[T, Q]) view[T, Q] {
	var all view[T, Q]
	for i := range table {
		if f := &table[i]; f.get != nil && r.since(f.since) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *field[T, Q]) int { return strings.Compare(a.name, b.name) })
	return all
}

// columns are those of the store that the view is made of, and others that are needed beside it.
func (v view[T, Q]) columns(others ...string) []string {
	names := slices.Clone(others)
	for _, f := range v {
		from := f.from
		if from == nil && !f.part {
			from = []string{f.name}
		}
		for _, name := range from {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// render makes the wire's object of a thing; add is how many more pairs are to come.
func (v view[T, Q]) render(t *T, more int) pairs {
	out := make(pairs, 0, len(v)+more)
	for _, f := range v {
		value := f.get(t)
		if f.secret != nil {
			value = f.secret(value)
		}
		out = append(out, pair{f.name, value})
	}
	return out
}

// link puts links into the place of the parts that were rendered; at is the thing's path.
func (v view[T, Q]) link(r *request, at string, out pairs) {
	for _, f := range v {
		if f.part {
			out.replace(f.name, r.links(at+"/"+f.name))
		}
	}
}

// redact hides the fields of a thing whose rows name a rule that the caller does not pass.
func (v view[T, Q]) redact(r *request, out pairs, of holder) {
	if r.may("node:get:filter_threshold", of) {
		return
	}
	for _, f := range v {
		if f.see != "" && !r.may(f.see, of) {
			out.replace(f.name, redacted(f.see))
		}
	}
}
