package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// maxLimit is the most that one list answers, and what it answers when the client names no limit.
const maxLimit = 1000

// pageArgs are the parameters that every list takes; those at the paths of old clients, "/detail", show every field.
func pageArgs(whole bool) []string {
	args := []string{"marker", "limit", "sort_key", "sort_dir", "fields", "detail"}
	if whole {
		return args[:4]
	}
	return args
}

// selection is what a client asks of a list or a single thing, beside the filters.
type selection struct {
	page   ingot.Page
	fields []string // nil is all
}

// selectionOf reads paging, sorting and the fields wanted. Where detail is not asked for, a list has the brief fields.
func selectionOf[T, Q any](r *request, a *args, table []field[T, Q]) selection {
	return selectionSince(r, a, table, 43)
}

// selectionSince is selectionOf for a resource that knew detail before the others.
func selectionSince[T, Q any](r *request, a *args, table []field[T, Q], detailSince int) selection {
	s := selection{page: ingot.Page{Limit: limitOf(a), Marker: a.uuid("marker"), SortKey: a.text("sort_key")}}
	switch dir := a.text("sort_dir"); {
	case dir == "desc":
		s.page.Desc = true
	case dir != "asc" && a.has("sort_dir"):
		a.fail(ingot.Errorf(ingot.Invalid, "Invalid sort direction: %s. Acceptable values are 'asc' or 'desc'", dir))
	}
	if err := checkSortKey(r, table, s.page.SortKey); err != nil {
		a.fail(err)
	}
	if s.page.SortKey == "id" {
		s.page.SortKey = ""
	}
	s.fields = fieldsOf(r, a, table)
	detail := a.flag("detail")
	switch {
	case detail != nil && !r.since(detailSince):
		a.fail(ingot.Errorf(ingot.Invalid, "Invalid query parameter ?detail=%v received.", *detail))
	case detail != nil && *detail && s.fields != nil:
		a.fail(ingot.Errorf(ingot.Invalid, "Can not specify ?detail=True and fields in the same request."))
	case s.fields == nil && (detail == nil || !*detail):
		s.fields = briefOf(table)
	}
	return s
}

func limitOf(a *args) int {
	limit := a.integer("limit")
	switch {
	case limit == nil:
		return maxLimit
	case *limit <= 0:
		a.fail(ingot.Errorf(ingot.Invalid, "Limit must be positive"))
	}
	return min(*limit, maxLimit)
}

func checkSortKey[T, Q any](r *request, table []field[T, Q], key string) error {
	if key == "" || key == "id" {
		return nil
	}
	for i := range table {
		f := &table[i]
		if f.name != key || f.get == nil {
			continue
		}
		if !r.since(f.since) {
			return errNotAcceptable()
		}
		if f.order {
			return nil
		}
	}
	return ingot.Errorf(ingot.Invalid, "The sort_key value %s is an invalid field for sorting", key)
}

// fieldsOf is the list of fields selected, each known to the version; nil when none was.
func fieldsOf[T, Q any](r *request, a *args, table []field[T, Q]) []string {
	if !a.has("fields") {
		return nil
	}
	fields := a.list("fields")
	if !r.since(8) {
		a.fail(errNotAcceptable())
	}
	for _, name := range fields {
		i := slices.IndexFunc(table, func(f field[T, Q]) bool { return f.name == name && f.get != nil })
		switch {
		case i < 0 && name != "links":
			a.fail(ingot.Errorf(ingot.Invalid, "Field %s is not a valid field.", name))
		case i >= 0 && !r.since(table[i].since):
			a.fail(errNotAcceptable())
		}
	}
	return fields
}

func briefOf[T, Q any](table []field[T, Q]) []string {
	names := []string{}
	for i := range table {
		if table[i].brief {
			names = append(names, table[i].name)
		}
	}
	return names
}

// filterNames are the list parameters of a table.
func filterNames[T, Q any](table []field[T, Q]) []string {
	names := []string{}
	for i := range table {
		if table[i].filter != nil {
			names = append(names, table[i].name)
		}
	}
	return names
}

// filterBy fills the query from the parameters that were given.
func filterBy[T, Q any](r *request, a *args, table []field[T, Q], query *Q) {
	for i := range table {
		f := &table[i]
		if f.filter == nil || !a.has(f.name) {
			continue
		}
		if since := max(f.since, f.filterSince); !r.since(since) {
			a.fail(errNeedsVersion(since))
			continue
		}
		value := a.values[f.name]
		if list, ok := value.([]any); ok { // the parameter repeated
			value = joined(list)
		}
		if value, ok := value.(string); ok {
			if err := f.filter(query, value); err != nil {
				a.fail(err)
			}
		}
	}
}

func joined(list []any) string {
	parts := make([]string, 0, len(list))
	for _, item := range list {
		if text, ok := item.(string); ok {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ",")
}

// collection is a list's answer: its items under their name and, when there may be more, the URL of the next page.
func (r *request) collection(name, path string, items listing, limit int) response {
	body := map[string]any{name: items}
	if items.n > 0 && items.n == limit {
		query := r.URL.Query()
		query.Set("limit", strconv.Itoa(limit))
		query.Set("marker", items.last)
		body["next"] = r.link(path) + "?" + query.Encode()
	}
	return response{status: http.StatusOK, body: body}
}

func contains(list []string, word string) bool { return slices.Contains(list, word) }
