package store

import (
	"context"
	"strings"

	"github.com/ingot-metal/ingot"
)

// defaultLimit is how many items a list has when no limit is asked for (Ironic: [api]max_limit).
const defaultLimit = 1000

// where is the condition of a query as it grows.
type where struct {
	parts []string
	args  []any
}

func (w *where) and(part string, args ...any) {
	w.parts = append(w.parts, part)
	w.args = append(w.args, args...)
}

// has is the condition that a column holds a value, which is not empty. It says so twice because the indexes of what is
// empty in most rows leave those out, and serve none but who leaves them out too.
func has(column string) string { return column + " = ? AND " + column + " <> ''" }

// text adds a comparison with what was asked for, if anything.
func (w *where) text(column, value string) {
	if value != "" {
		w.and(has(column), value)
	}
}

// flag adds a condition, or its opposite, if one was asked for.
func (w *where) flag(value *bool, yes, no string) {
	switch {
	case value == nil:
	case *value:
		w.and(yes)
	default:
		w.and(no)
	}
}

// ofProject keeps what belongs to nodes that a project owns or leases, if one was named.
func (w *where) ofProject(project string) {
	if project != "" {
		w.and("node_uuid IN (SELECT uuid FROM nodes WHERE owner = ? OR lessee = ?)", project, project)
	}
}

func (w *where) contains(d dialect, column, value string) {
	if value != "" {
		escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(value)
		w.and(column+" "+d.like+` ? ESCAPE '\'`, "%"+escaped+"%")
	}
}

func (w *where) sql() string {
	if len(w.parts) == 0 {
		return "TRUE"
	}
	return strings.Join(w.parts, " AND ")
}

// ListNodes gives the nodes that match, a page at a time; a negative limit gives all. Nodes with a parent are left out
// unless they are asked for. NotFound: the marker is no node; Invalid: the sort key is no column that can be sorted by.
func (s *Store) ListNodes(ctx context.Context, q ingot.NodeQuery) ([]ingot.Node, error) {
	w := &where{}
	w.flag(q.Associated, "instance_uuid <> ''", "instance_uuid = ''")
	w.flag(q.Maintenance, "maintenance", "NOT maintenance")
	w.flag(q.Retired, "retired", "NOT retired")
	w.flag(q.Sharded, "shard <> ''", "shard = ''")
	w.text("instance_uuid", q.InstanceUUID)
	w.text("instance_name", q.InstanceName)
	w.text("chassis_uuid", q.ChassisUUID)
	w.text("provision_state", string(q.ProvisionState))
	w.text("driver", q.Driver)
	w.text("resource_class", q.ResourceClass)
	w.text("fault", string(q.Fault))
	w.text("conductor", q.Conductor)
	w.text("owner", q.Owner)
	w.text("lessee", q.Lessee)
	if q.ConductorGroup != nil {
		w.and("conductor_group = ?", *q.ConductorGroup)
	}
	if q.Project != "" {
		w.and("(owner = ? OR lessee = ?)", q.Project, q.Project)
	}
	if len(q.Shards) > 0 {
		w.and("shard IN (?)", q.Shards)
	}
	w.contains(s.dialect, "description", q.DescriptionContains)
	switch {
	case q.ParentNode != "":
		w.and(has("parent_node"), q.ParentNode)
	case !q.IncludeChildren:
		w.and("parent_node = ?", "")
	}
	nodes, err := page(s.read(ctx), s.tables.nodes, w, q.Page, nodeNotFound)
	return nodes, s.sentence(err)
}

// page reads the rows of one page that match, with the columns that it asks for.
func page[T any](c *conn, t *table[T], w *where, p ingot.Page, missing func(string) error) ([]T, error) {
	order, err := turn(c, t, w, p, missing)
	if err != nil {
		return nil, err
	}
	few, err := t.only(p.Fields)
	if err != nil {
		return nil, err
	}
	tail, args := in(w.sql()+order, w.args...)
	return selected(c, few, tail, args...)
}

// turn adds the condition for what comes after the marker, and gives the order and limit of the page. Pages are
// stable: what is written between two of them shifts neither.
func turn[T any](c *conn, t *table[T], w *where, p ingot.Page, missing func(string) error) (string, error) {
	key, err := t.sortKey(p.SortKey)
	if err != nil {
		return "", err
	}
	compare, direction := " > ", ""
	if p.Desc {
		compare, direction = " < ", " DESC"
	}
	if p.Marker != "" {
		var id int64
		var at any
		found, err := c.one([]any{&id, &at}, "SELECT id, "+key+" FROM "+t.name+" WHERE uuid = ?", strings.ToLower(p.Marker))
		if err != nil {
			return "", err
		}
		if !found {
			return "", missing(p.Marker)
		}
		w.and("("+key+", id)"+compare+"(?, ?)", at, id)
	}
	order := " ORDER BY " + key + direction
	if key != "id" {
		order += ", id" + direction
	}
	return order + limit(p.Limit, w), nil
}

func limit(n int, w *where) string {
	if n < 0 {
		return ""
	}
	if n == 0 {
		n = defaultLimit
	}
	w.args = append(w.args, n)
	return " LIMIT ?"
}

// sortKey is the SQL to sort by for a field's wire name.
func (t *table[T]) sortKey(name string) (string, error) {
	if name == "" || name == "id" {
		return "id", nil
	}
	for _, c := range t.columns {
		switch {
		case c.name != name || c.sort == "":
		case c.sort == own:
			return c.name, nil
		default:
			return c.sort, nil
		}
	}
	return "", ingot.Errorf(ingot.Invalid, "The sort_key value %s is an invalid field for sorting", name)
}
