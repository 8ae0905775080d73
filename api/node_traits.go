package api

import (
	"net/http"
	"slices"

	"github.com/ingot-metal/ingot"
)

// listed is a list as the wire has it: [] when there is nothing.
func listed(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// listTraits is GET /v1/nodes/{node}/traits.
func listTraits(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	return response{body: map[string]any{"traits": listed(node.Traits)}}, nil
}

// setTraits is PUT /v1/nodes/{node}/traits: the list takes the place of the node's.
func setTraits(r *request) (response, error) {
	wanted, err := r.traitsBody("node")
	if err != nil {
		return response{}, err
	}
	return changeTraits(r, func(*ingot.Node) ([]string, error) { return wanted, nil })
}

// addTrait is PUT /v1/nodes/{node}/traits/{trait}.
func addTrait(r *request) (response, error) {
	trait, err := r.traitParam()
	if err != nil {
		return response{}, err
	}
	res, err := changeTraits(r, func(n *ingot.Node) ([]string, error) {
		return append(slices.Clone(n.Traits), trait), nil
	})
	res.location = "nodes/" + r.param("node") + "/traits/" + trait
	return res, err
}

// removeTraits is DELETE /v1/nodes/{node}/traits.
func removeTraits(r *request) (response, error) {
	return changeTraits(r, func(*ingot.Node) ([]string, error) { return nil, nil })
}

// removeTrait is DELETE /v1/nodes/{node}/traits/{trait}.
func removeTrait(r *request) (response, error) {
	trait := r.param("trait")
	return changeTraits(r, func(n *ingot.Node) ([]string, error) {
		at := slices.Index(n.Traits, trait)
		if at < 0 {
			return nil, ingot.Errorf(ingot.NotFound, "Node %s doesn't have a trait '%s'", n.UUID, trait)
		}
		return slices.Delete(slices.Clone(n.Traits), at, at+1), nil
	})
}

// changeTraits gives the node the traits that pick finds for it. As in Ironic they may change in every state; only who
// holds the node keeps others out.
func changeTraits(r *request, pick func(*ingot.Node) ([]string, error)) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	_, err = r.change(node.UUID, false, func(n *ingot.Node) error {
		traits, err := pick(n)
		if err != nil {
			return err
		}
		if traits = ingot.Traits(traits); len(traits) > ingot.MaxTraits {
			return ingot.Errorf(ingot.Invalid, "Could not modify traits for node %s as it would exceed the maximum number of traits per node (%d vs. %d)",
				n.UUID, len(traits), ingot.MaxTraits)
		}
		n.Traits = traits
		return nil
	})
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

// traitParam is the trait that the path names, which comes without a body.
func (r *request) traitParam() (string, error) {
	trait := r.param("trait")
	if err := checkTrait("trait", trait); err != nil {
		return "", err
	}
	body, err := readBody(r.Request)
	switch {
	case err != nil:
		return "", err
	case len(body) > 0 && string(body) != "{}" && string(body) != "null":
		return "", ingot.Errorf(ingot.Invalid, "No body should be provided when adding a trait")
	}
	return trait, nil
}

// traitsBody is the list of traits in a body; of names what gets them: node or runbook.
func (r *request) traitsBody(of string) ([]string, error) {
	body, err := r.json()
	if err != nil {
		return nil, err
	}
	object, ok := body.(map[string]any)
	if !ok {
		return nil, schemaError("body", "%s is not of type 'object'", repr(body))
	}
	var unexpected []string
	for name := range object {
		if name != "traits" {
			unexpected = append(unexpected, name)
		}
	}
	list, given := object["traits"]
	switch {
	case len(unexpected) > 0:
		return nil, unexpectedError("body", unexpected)
	case !given:
		return nil, ingot.Errorf(ingot.Invalid, "A single %s trait may be added via PUT /v1/%ss/<%s identifier>/traits/<trait> with no body, "+
			"or all %s traits may be replaced via PUT /v1/%ss/<%s identifier>/traits with the list of traits specified in the request body.", of, of, of, of, of, of)
	}
	return traitList("body", list)
}

// traitList checks a list of traits.
func traitList(of string, v any) ([]string, error) {
	items, ok := v.([]any)
	if !ok {
		return nil, schemaError(of, "%s is not of type 'array'", repr(v))
	}
	traits := make([]string, len(items))
	for i, item := range items {
		if err := checkTrait(of, item); err != nil {
			return nil, err
		}
		traits[i], _ = item.(string)
	}
	return traits, nil
}

// checkTrait refuses what is no trait's name.
func checkTrait(of string, v any) error {
	name, ok := v.(string)
	switch {
	case !ok:
		return schemaError(of, "%s is not of type 'string'", repr(v))
	case len(name) > 255:
		return schemaError(of, "%s is too long", repr(v))
	case !ingot.ValidTrait(name):
		return schemaError(of, "%s is not valid under any of the given schemas", repr(v))
	}
	return nil
}
