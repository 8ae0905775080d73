package store

import (
	"context"
	"strconv"

	"github.com/ingot-metal/ingot"
)

// step is a frozen step with the operation that it belongs to.
type step struct {
	operation string
	ingot.OperationStep
}

func stepTable() *table[step] {
	return &table[step]{
		name: "operation_steps",
		uuid: func(v *step) string { return v.operation + "/" + strconv.Itoa(v.Position) },
		columns: []column[step]{
			{name: "operation", place: func(v *step) field { return (*text)(&v.operation) }, once: true},
			{name: "position", place: func(v *step) field { return (*whole)(&v.Position) }, once: true},
			{name: "node_uuid", place: func(v *step) field { return (*text)(&v.Node) }},
			{name: "interface", place: func(v *step) field { return (*text)(&v.Interface) }},
			{name: "step", place: func(v *step) field { return (*text)(&v.Step) }},
			{name: "args", place: func(v *step) field { return document{&v.Args, true} }},
			{name: "priority", place: func(v *step) field { return (*whole)(&v.Priority) }},
			{name: "abortable", place: func(v *step) field { return (*flag)(&v.Abortable) }},
			{name: "source", place: func(v *step) field { return (*text)(&v.Source) }},
			{name: "state", place: func(v *step) field { return (*text)(&v.State) }},
			{name: "attempt", place: func(v *step) field { return (*whole)(&v.Attempt) }},
		},
	}
}

// steps gives the frozen steps of the operations, by operation and in order.
func (c *conn) steps(operations []string) (map[string][]ingot.OperationStep, error) {
	tail, args := in("operation IN (?) ORDER BY operation, position", operations)
	all, err := selected(c, c.store.tables.steps, tail, args...)
	if err != nil {
		return nil, err
	}
	byOperation := map[string][]ingot.OperationStep{}
	for _, s := range all {
		byOperation[s.operation] = append(byOperation[s.operation], s.OperationStep)
	}
	return byOperation, nil
}

// replaceSteps makes the frozen list of an operation the one that is given, and writes only what differs.
func (t *tx) replaceSteps(operation string, list []ingot.OperationStep) error {
	table := t.store.tables.steps
	had, err := t.conn.steps([]string{operation})
	if err != nil {
		return err
	}
	old := map[int]ingot.OperationStep{}
	for _, s := range had[operation] {
		old[s.Position] = s
	}
	for _, s := range list {
		now := &step{operation, s}
		was, have := old[s.Position]
		delete(old, s.Position)
		if !have {
			if err := table.insert(&t.conn, now); err != nil {
				return err
			}
			continue
		}
		if err := t.updateStep(&step{operation, was}, now); err != nil {
			return err
		}
	}
	for position := range old {
		if _, err := t.exec("DELETE FROM operation_steps WHERE operation = ? AND position = ?", operation, position); err != nil {
			return err
		}
	}
	return nil
}

// updateStep writes what differs between a step as it was and as it is now.
func (t *tx) updateStep(was, now *step) error {
	table := t.store.tables.steps
	before, err := table.encode(was)
	if err != nil {
		return err
	}
	after, err := table.encode(now)
	if err != nil {
		return err
	}
	diff, err := table.diff(t.store.keys, table.uuid(now), before, after)
	if err != nil || len(diff.names) == 0 {
		return err
	}
	_, err = t.exec("UPDATE operation_steps SET "+diff.assign()+" WHERE operation = ? AND position = ?", append(diff.values, now.operation, now.Position)...)
	return err
}

// Steps gives the frozen steps of an operation in order.
func (s *Store) Steps(ctx context.Context, operation string) ([]ingot.OperationStep, error) {
	steps, err := s.read(ctx).steps([]string{operation})
	return steps[operation], s.sentence(err)
}
