package api

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// handleList is GET of all.
func (s *resource[T, Q]) handleList(r *request) (response, error) { return s.listAs(r, false, nil) }

// handleDetail is GET of all at the path that old clients use for every field.
func (s *resource[T, Q]) handleDetail(r *request) (response, error) { return s.listAs(r, true, nil) }

// listAs answers a page of those that the parameters and, below another thing, narrow select.
func (s *resource[T, Q]) listAs(r *request, detail bool, narrow func(r *request, q *Q) error) (response, error) {
	a := r.args(slices.Concat(pageArgs(detail), filterNames(s.fields), s.params)...)
	chosen := selectionSince(r, a, s.fields, cmp.Or(s.detail, 43))
	if detail {
		chosen.fields = nil
	}
	var query Q
	filterBy(r, a, s.fields, &query)
	if s.narrow != nil {
		if err := s.narrow(r, a, &query); err != nil {
			a.fail(err)
		}
	}
	if a.err != nil {
		return response{}, a.err
	}
	if narrow != nil {
		if err := narrow(r, &query); err != nil {
			return response{}, err
		}
	}
	if s.project != nil {
		asked := ""
		if s.asked != nil {
			asked = s.asked(&query)
		}
		project, err := r.scope(asked)
		if err != nil {
			return response{}, err
		}
		*s.project(&query) = project
	}
	if s.exclusive != nil {
		if err := s.exclusive(&query); err != nil {
			return response{}, err
		}
	}
	shown := viewOf(r, s.fields, chosen.fields)
	chosen.page.Fields = s.columns(shown)
	*s.page(&query) = chosen.page
	found, err := s.store(r.api).List(r.Context(), query)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = s.missing(chosen.page.Marker)
	}
	if err != nil {
		return response{}, err
	}
	items := listOf(found, s.uuid, func(t *T) pairs { return s.render(r, t, shown) })
	return r.collection(cmp.Or(s.list, s.path), strings.TrimPrefix(r.URL.Path, "/v1/"), items, chosen.page.Limit), nil
}
