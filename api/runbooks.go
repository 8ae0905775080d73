package api

import (
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

type runbookField = field[ingot.Runbook, ingot.RunbookQuery]

// runbookFields is all that the wire knows of runbooks: Ironic's RUNBOOK_SCHEMA.
func runbookFields() []runbookField {
	type runbook = ingot.Runbook
	return []runbookField{
		{name: "uuid", brief: true, column: id(func(b *runbook) *string { return &b.UUID }), create: true, readBy: "store: the key"},
		{name: "name", brief: true, column: text(func(b *runbook) *string { return &b.Name }), create: true, patch: true, required: true, max: 255, readBy: "provision: clean and service by runbook"},
		{name: "description", since: 112, column: text(func(b *runbook) *string { return &b.Description }), create: true, patch: true, max: 255, readBy: "clients: notes of their own"},
		{name: "steps", column: objects(func(b *runbook) *[]map[string]any { return &b.Steps }), create: true, patch: true, required: true, check: keptSteps(runbookStep()), secret: maskSecrets, readBy: "provision: clean and service by runbook"},
		{name: "disable_ramdisk", column: flag(func(b *runbook) *bool { return &b.DisableRamdisk }), create: true, patch: true, readBy: "provision: clean and service by runbook"},
		{name: "public", column: flag(func(b *runbook) *bool { return &b.Public }), create: true, patch: true, rule: "runbook:update:public", readBy: "runbooks: a public one has no owner"},
		{name: "owner", column: text(func(b *runbook) *string { return &b.Owner }), create: true, patch: true, max: 255, rule: "runbook:update:owner", readBy: "runbooks: a public one has no owner"},
		{name: "traits", since: 112, column: shown(strung(func(b *runbook) *[]string { return &b.Traits }))},
		{name: "extra", column: object(func(b *runbook) *map[string]any { return &b.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "created_at", column: moment(func(b *runbook) *time.Time { return &b.CreatedAt })},
		{name: "updated_at", column: moment(func(b *runbook) *time.Time { return &b.UpdatedAt })},
	}
}

func runbookResource() *resource[ingot.Runbook, ingot.RunbookQuery] {
	type runbook = ingot.Runbook
	return &resource[runbook, ingot.RunbookQuery]{
		name: "runbook", noun: "Runbook", path: "runbooks", since: 92, named: 92, late: true, rule: "runbook",
		fields:  runbookFields(),
		store:   func(a *API) Records[runbook, ingot.RunbookQuery] { return a.Runbooks },
		uuid:    func(b *runbook) string { return b.UUID },
		version: func(b *runbook) int64 { return b.Version },
		page:    func(q *ingot.RunbookQuery) *ingot.Page { return &q.Page },
		tell: func(b *runbook) (string, map[string]any) {
			return "", map[string]any{"runbook": b.UUID, "name": b.Name}
		},
		owner:   func(b *runbook) string { return b.Owner },
		project: func(q *ingot.RunbookQuery) *string { return &q.Project },
		shared:  func(b *runbook) bool { return b.Public },
		take:    takeRunbook,
		judge:   judgeRunbook,
	}
}

// takeRunbook fills a new runbook. Below 1.112 its name is the trait that lets nodes use it.
func takeRunbook(r *request, body any, b *ingot.Runbook) error {
	if err := r.tables.runbooks.fill(r, body, b); err != nil {
		return err
	}
	if !r.since(112) {
		if err := checkTrait("runbook", b.Name); err != nil {
			return err
		}
	}
	if err := r.mayCarryOut(holder{}, b.Steps); err != nil {
		return err
	}
	if r.who.Project != "" && !r.who.System { // what a project makes is the project's
		switch {
		case b.Owner != "" && b.Owner != r.who.Project:
			return ingot.Errorf(ingot.Invalid, "Cannot create a runbook as a project scoped admin with an owner other than your own project.")
		case b.Public:
			return ingot.Errorf(ingot.Invalid, "Cannot create a public runbook as a project scoped admin.")
		}
		b.Owner = r.who.Project
	}
	return ownedOrPublic(b)
}

func ownedOrPublic(b *ingot.Runbook) error {
	if b.Public && b.Owner != "" {
		return ingot.Errorf(ingot.Invalid, "There cannot be an owner for a public runbook")
	}
	return nil
}

// judgeRunbook keeps public runbooks without an owner: making one public takes its owner away.
func judgeRunbook(r *request, _ *ingot.Runbook, ops []patchOp) (func(before, after *ingot.Runbook) error, error) {
	steps := slices.ContainsFunc(ops, func(op patchOp) bool { return op.steps[0] == "steps" })
	return func(before, after *ingot.Runbook) error {
		if steps {
			if err := r.mayCarryOut(holder{}, after.Steps); err != nil {
				return err
			}
		}
		if after.Public && !before.Public && after.Owner == before.Owner {
			after.Owner = ""
		}
		return ownedOrPublic(after)
	}, nil
}

// runbookRoutes are the runbooks and their traits.
func (a *API) runbookRoutes(t *tables) []route {
	routes := t.runbooks.routes(a)
	if len(routes) == 0 {
		return nil
	}
	return append(routes,
		route{"GET", "/runbooks/{runbook}/traits", 112, "runbook:get", listRunbookTraits},
		route{"PUT", "/runbooks/{runbook}/traits", 112, "runbook:update", setRunbookTraits},
		route{"DELETE", "/runbooks/{runbook}/traits", 112, "runbook:update", removeRunbookTraits},
		route{"PUT", "/runbooks/{runbook}/traits/{trait}", 112, "runbook:update", addRunbookTrait},
		route{"DELETE", "/runbooks/{runbook}/traits/{trait}", 112, "runbook:update", removeRunbookTrait},
	)
}
