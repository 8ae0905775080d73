package api

import (
	"net/http"

	"github.com/ingot-metal/ingot"
)

// handleCreate is POST.
func (s *resource[T, Q]) handleCreate(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	var t T
	if s.fresh != nil {
		t = s.fresh()
	}
	take := s.take
	if take == nil {
		take = s.fill
	}
	if err := take(r, body, &t); err != nil {
		return response{}, err
	}
	if s.node != nil {
		node := s.node(&t)
		if err := r.ofNode(node, ingot.Errorf(ingot.Invalid, "Node %s could not be found.", node)); err != nil {
			return response{}, err
		}
	}
	// The UUID is chosen here, for the event.
	for i := range s.fields {
		if f := &s.fields[i]; f.name == "uuid" && s.uuid(&t) == "" {
			f.set(&t, newUUID())
		}
	}
	if err := s.store(r.api).Create(r.Context(), &t, s.event("created", &t)); err != nil {
		return response{}, err
	}
	if s.created != nil {
		s.created(r, &t)
	}
	return response{status: http.StatusCreated, body: s.whole(r, &t), location: s.path + "/" + s.uuid(&t)}, nil
}

// fill takes the fields of a new thing from the body.
func (s *resource[T, Q]) fill(r *request, body any, t *T) error {
	if err := fill(r, s.fields, s.name, body, t); err != nil {
		return err
	}
	object, _ := body.(map[string]any) // an object, as fill has seen
	if name, _ := object["name"].(string); s.named > 0 && name != "" && !r.plainName(name) {
		return ingot.Errorf(ingot.Invalid, "Cannot create %s with invalid name '%s'", s.name, name)
	}
	return nil
}

// handlePatch is PATCH of one.
func (s *resource[T, Q]) handlePatch(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	ops, err := parsePatch(r, body)
	if err != nil {
		return response{}, err
	}
	if err := checkPatch(r, s.fields, ops); err != nil {
		return response{}, err
	}
	t, err := s.find(r)
	if err != nil {
		return response{}, err
	}
	if err := mayPatchFields(r, s.fields, ops, s.holder(&t)); err != nil {
		return response{}, err
	}
	if err := s.checkNames(r, ops); err != nil {
		return response{}, err
	}
	changed, err := s.patch(r, &t, ops)
	if err != nil {
		return response{}, err
	}
	return response{body: s.whole(r, &changed)}, nil
}

// patch applies the operations to the thing as it is in the store.
func (s *resource[T, Q]) patch(r *request, t *T, ops []patchOp) (T, error) {
	judge := func(*T, *T) error { return nil }
	if s.judge != nil {
		var err error
		if judge, err = s.judge(r, t, ops); err != nil {
			return *t, err
		}
	}
	if err := s.sameOwner(r, t, ops); err != nil {
		return *t, err
	}
	var refused error
	changed, err := s.store(r.api).Change(r.Context(), s.uuid(t), 0, func(t *T) error {
		before := *t
		if refused = applyPatch(s.fields, t, ops); refused == nil {
			refused = judge(&before, t)
		}
		return refused
	}, s.event("updated", t))
	switch {
	case refused != nil:
		err = refused // without what the store may have put around it
	case ingot.CodeOf(err) == ingot.NotFound:
		err = s.missing(s.uuid(t))
	}
	return changed, err
}

// sameOwner refuses to give what belongs to a node to a node of another owner (Ironic: authorize_node_link).
func (s *resource[T, Q]) sameOwner(r *request, t *T, ops []patchOp) error {
	if s.node == nil {
		return nil
	}
	preview := *t
	if err := applyPatch(s.fields, &preview, ops); err != nil || s.node(&preview) == s.node(t) {
		return err
	}
	from, err := r.nodeNamed(s.node(t))
	if err != nil {
		return err
	}
	to, err := r.ownerNamed(s.node(&preview))
	if err == nil && to.Owner != from.Owner {
		err = errForeign("node_uuid", s.node(&preview))
	}
	return err
}

// plainName says whether text can name a thing without being taken for a UUID.
func (r *request) plainName(text string) bool {
	_, isUUID := canonicalUUID(text)
	return !isUUID && r.validName(text)
}

func (s *resource[T, Q]) checkNames(r *request, ops []patchOp) error {
	for _, op := range ops {
		name, ok := op.value.(string)
		if s.named > 0 && op.path == "/name" && op.op != "remove" && ok && name != "" && !r.plainName(name) {
			return ingot.Errorf(ingot.Invalid, "%s %s: Cannot change name to invalid name '%s'", s.noun, r.param(s.pathParam()), name)
		}
	}
	return nil
}

// handleDelete is DELETE of one.
func (s *resource[T, Q]) handleDelete(r *request) (response, error) {
	t, err := s.find(r)
	if err != nil {
		return response{}, err
	}
	return s.remove(r, &t)
}

// remove deletes one that was found.
func (s *resource[T, Q]) remove(r *request, t *T) (response, error) {
	if s.deletable != nil {
		if err := s.deletable(r, t); err != nil {
			return response{}, err
		}
	}
	if err := s.store(r.api).Delete(r.Context(), s.uuid(t), s.version(t), s.event("deleted", t)); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}
