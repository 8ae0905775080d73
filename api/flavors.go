package api

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

type flavorField = field[ingot.Flavor, ingot.FlavorQuery]

// flavorFields is all that the wire knows of flavors, which Ironic has not.
func flavorFields() []flavorField {
	type flavor = ingot.Flavor
	return []flavorField{
		{name: "uuid", brief: true, column: id(func(f *flavor) *string { return &f.UUID }), create: true, readBy: "store: the key"},
		{name: "resource_class", brief: true, column: text(func(f *flavor) *string { return &f.ResourceClass }), create: true, required: true, max: 80, check: checkClass, readBy: "guests: the shape of those of the class"},
		{name: "resources", brief: true, column: amounts(func(f *flavor) *ingot.Amounts { return &f.Resources }), create: true, patch: true, required: true, check: checkAmounts, readBy: "guests: what they claim"},
		{name: "arch", column: text(func(f *flavor) *string { return &f.Arch }), create: true, patch: true, check: oneOf("arch", "x86_64", "aarch64"), readBy: "placement: which hosts will do"},
		{name: "boot_mode", column: text(func(f *flavor) *ingot.BootMode { return &f.BootMode }), create: true, patch: true, check: oneOf("boot_mode", "bios", "uefi"), readBy: "guests: their capabilities; placement: which hosts will do"},
		{name: "required_traits", column: strung(func(f *flavor) *[]string { return &f.RequiredTraits }), create: true, patch: true, check: traitNames("flavor"), readBy: "placement: which hosts will do"},
		{name: "provided_traits", column: strung(func(f *flavor) *[]string { return &f.ProvidedTraits }), create: true, patch: true, check: traitNames("flavor"), readBy: "guests: their traits; placement: which requests will do"},
		{name: "inherit_traits", column: strung(func(f *flavor) *[]string { return &f.InheritTraits }), create: true, patch: true, check: traitNames("flavor"), readBy: "placement: which traits are asked of hosts"},
		{name: "fallback_for", column: strung(func(f *flavor) *[]string { return &f.FallbackFor }), create: true, patch: true, check: texts, readBy: "placement: which flavor does for a class of metal"},
		{name: "created_at", column: moment(func(f *flavor) *time.Time { return &f.CreatedAt })},
		{name: "updated_at", column: moment(func(f *flavor) *time.Time { return &f.UpdatedAt })},
	}
}

func flavorResource() *resource[ingot.Flavor, ingot.FlavorQuery] {
	type flavor = ingot.Flavor
	return &resource[flavor, ingot.FlavorQuery]{
		name: "flavor", noun: "Flavor", path: "flavors", since: 1, named: 1, noDetail: true, rule: "flavor",
		fields:  flavorFields(),
		store:   func(a *API) Records[flavor, ingot.FlavorQuery] { return a.Flavors },
		uuid:    func(f *flavor) string { return f.UUID },
		version: func(f *flavor) int64 { return f.Version },
		page:    func(q *ingot.FlavorQuery) *ingot.Page { return &q.Page },
		tell: func(f *flavor) (string, map[string]any) {
			return "", map[string]any{"flavor": f.UUID, "resource_class": f.ResourceClass}
		},
	}
}

// amounts is an object with a number for each resource.
func amounts[T any](at func(*T) *ingot.Amounts) column[T] {
	return column[T]{
		kind: kindObject,
		get:  func(t *T) any { return wireAmounts(*at(t)) },
		set: func(t *T, v any) {
			object, _ := v.(map[string]any)
			*at(t) = ingot.Amounts{}
			for name, n := range object {
				switch n := n.(type) { // the field's check has looked; a patch leaves what it does not name as it was read
				case float64:
					(*at(t))[ingot.Resource(name)] = int64(n)
				case int64:
					(*at(t))[ingot.Resource(name)] = n
				}
			}
		},
	}
}

func wireAmounts(m ingot.Amounts) map[string]any {
	out := map[string]any{}
	for resource, n := range m {
		out[string(resource)] = n
	}
	return out
}

// resourceNames are the resources, for sentences.
func resourceNames() string {
	var names []string
	for _, resource := range ingot.Resources() {
		names = append(names, string(resource))
	}
	return strings.Join(names, ", ")
}

// checkAmounts takes a number for each resource; a guest may do without a disk.
func checkAmounts(v any) error {
	object, _ := v.(map[string]any)
	for name, n := range object {
		number, isFloat := n.(float64)
		if whole, isWhole := n.(int64); isWhole {
			number, isFloat = float64(whole), true
		}
		switch {
		case !ingot.Resource(name).Known():
			return ingot.Errorf(ingot.Invalid, "%s is no resource of guests: they are %s", repr(name), resourceNames())
		case !isFloat || number != math.Trunc(number) || number < 1 || number >= 1<<31:
			return ingot.Errorf(ingot.Invalid, "Expected a whole number from 1 on for %s: %s", name, repr(n))
		}
	}
	if len(object) != len(ingot.Resources()) {
		return ingot.Errorf(ingot.Invalid, "resources has a number for each of %s", resourceNames())
	}
	return nil
}

// checkClass keeps classes, by which flavors are found, apart from UUIDs and what a path cannot hold.
func checkClass(v any) error {
	class, _ := v.(string)
	if _, isUUID := canonicalUUID(class); isUUID || !namePattern.MatchString(class) {
		return ingot.Errorf(ingot.Invalid, "%s can not be the resource class of a flavor", repr(v))
	}
	return nil
}

// oneOf is the check of a field with a few values, or none.
func oneOf(field string, values ...string) func(any) error {
	return func(v any) error {
		if text, _ := v.(string); v != nil && !slices.Contains(values, text) {
			return ingot.Errorf(ingot.Invalid, "%s can not be %s: it is one of %s", field, repr(v), strings.Join(values, ", "))
		}
		return nil
	}
}

// flavorOf finds the flavor of a class, or the one that does for it when metal has run out.
func (r *request) flavorOf(class string) (ingot.Flavor, error) {
	flavors, err := r.api.Flavors.List(r.Context(), ingot.FlavorQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return ingot.Flavor{}, err
	}
	if flavor := ingot.FlavorFor(flavors, class); flavor != nil {
		return *flavor, nil
	}
	names := make([]string, len(flavors))
	for i := range flavors {
		names[i] = flavors[i].ResourceClass
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	return ingot.Flavor{}, ingot.Errorf(ingot.Invalid, "There is no flavor of resource class %s; the flavors are: %s.", class, strings.Join(names, ", "))
}
