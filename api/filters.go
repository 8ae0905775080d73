package api

import (
	"strings"

	"github.com/ingot-metal/ingot"
)

func lower(s string) string { return strings.ToLower(s) }

func textFilter[Q any, S ~string](at func(*Q) *S) func(*Q, string) error {
	return func(q *Q, value string) error {
		*at(q) = S(value)
		return nil
	}
}

func uuidFilter[Q any](name string, at func(*Q) *string) func(*Q, string) error {
	return func(q *Q, value string) error {
		id, ok := canonicalUUID(value)
		if !ok {
			return ingot.Errorf(ingot.Invalid, "Expected UUID for %s: %s", name, value)
		}
		*at(q) = id
		return nil
	}
}

func flagFilter[Q any](name string, at func(*Q) **bool) func(*Q, string) error {
	return func(q *Q, value string) error {
		b, err := boolean(name, value)
		*at(q) = &b
		return err
	}
}

// nodeFilters are the list parameters of nodes that are no fields.
func nodeFilters() []nodeField {
	return []nodeField{
		{name: "associated", filter: flagFilter("associated", func(q *ingot.NodeQuery) **bool { return &q.Associated })},
		{name: "sharded", filter: flagFilter("sharded", func(q *ingot.NodeQuery) **bool { return &q.Sharded }), filterSince: 82},
		{name: "project", filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.Project }), filterSince: 65},
		{name: "description_contains", filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.DescriptionContains }), filterSince: 51},
		{name: "include_children", filter: childrenFilter, filterSince: 83},
	}
}

func childrenFilter(q *ingot.NodeQuery, value string) (err error) {
	q.IncludeChildren, err = boolean("include_children", value)
	return err
}

func groupFilter(q *ingot.NodeQuery, value string) error {
	value = lower(value)
	q.ConductorGroup = &value
	return nil
}

// listFilter takes a list of words with commas between them.
func listFilter[Q any](at func(*Q) *[]string) func(*Q, string) error {
	return func(q *Q, value string) error {
		for word := range strings.SplitSeq(value, ",") {
			if word = strings.TrimSpace(word); word == "" {
				continue
			}
			if *at(q) = append(*at(q), word); len(*at(q)) > maxLimit {
				return ingot.Errorf(ingot.Invalid, "A list of more than %d cannot be filtered by.", maxLimit)
			}
		}
		return nil
	}
}

func stateFilter(q *ingot.NodeQuery, value string) error {
	if ingot.State(value).Class() == "" {
		return ingot.Errorf(ingot.Invalid, `Provision state "%s" is not valid`, value)
	}
	q.ProvisionState = ingot.State(value)
	return nil
}

func faultFilter(q *ingot.NodeQuery, value string) error {
	switch ingot.Fault(value) {
	case ingot.FaultPower, ingot.FaultClean, ingot.FaultRescue, ingot.FaultService, ingot.FaultGuest, ingot.FaultDisk:
		q.Fault = ingot.Fault(value)
		return nil
	}
	return ingot.Errorf(ingot.Invalid, `Unrecognized fault "%s" is specified, allowed faults are ('%s', '%s', '%s', '%s')`,
		value, ingot.FaultPower, ingot.FaultClean, ingot.FaultRescue, ingot.FaultService)
}

// notEmpty refuses "" where null is meant.
func notEmpty(name string) func(any) error {
	return func(v any) error {
		if v == "" {
			return schemaError(name, "'' is too short")
		}
		return nil
	}
}

func noNetworkData(v any) error {
	if m, ok := v.(map[string]any); v == nil || ok && len(m) == 0 {
		return nil
	}
	return ingot.Errorf(ingot.Unsupported, "cannot set network_data: ramdisks get their addresses by DHCP here; configure the network instead")
}
