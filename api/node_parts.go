package api

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// HistoryStore is what the history's handlers need of the store.
type HistoryStore interface {
	// ListHistory gives a node's entries, oldest first unless the page says otherwise; NotFound when the marker is none.
	ListHistory(ctx context.Context, node string, page ingot.Page) ([]ingot.History, error)
	History(ctx context.Context, uuid string) (ingot.History, error)
}

// InventoryStore is what the inventory's handler needs of the store.
type InventoryStore interface {
	// Inventory is what the last inspection found, with what plug-ins added; NotFound when there was none.
	Inventory(ctx context.Context, node string) (ingot.Inventory, map[string]any, error)
}

// historyFields are what the wire knows of history entries; the brief ones make the short form.
func historyFields() []field[ingot.History, struct{}] {
	type entry = ingot.History
	return []field[entry, struct{}]{
		{name: "uuid", brief: true, column: text(func(h *entry) *string { return &h.UUID })},
		{name: "created_at", brief: true, column: moment(func(h *entry) *time.Time { return &h.CreatedAt })},
		{name: "severity", brief: true, column: text(func(h *entry) *string { return &h.Severity })},
		{name: "event", brief: true, column: text(func(h *entry) *string { return &h.Event })},
		{name: "event_type", column: text(func(h *entry) *string { return &h.Type })},
		{name: "conductor", column: text(func(h *entry) *string { return &h.Conductor })},
		{name: "user", column: text(func(h *entry) *string { return &h.User })},
		{name: "project", since: 113, column: text(func(h *entry) *string { return &h.Project })},
		{name: "state", since: 115, column: text(func(h *entry) *ingot.State { return &h.State })},
		{name: "target_provision_state", since: 115, column: text(func(h *entry) *ingot.State { return &h.TargetState })},
		{name: "duration_seconds", since: 115, column: computed(func(h *entry) any {
			if h.Duration == 0 {
				return nil
			}
			return h.Duration.Seconds()
		})},
	}
}

// renderHistory is an entry on the wire; the short form cuts its sentence at 255 characters.
func (r *request) renderHistory(h *ingot.History, detail bool) pairs {
	fields := briefOf(r.tables.history)
	if detail {
		fields = nil
	}
	out := viewOf(r, r.tables.history, fields).render(h, 1)
	if sentence := []rune(h.Event); !detail && len(sentence) > 255 {
		out.replace("event", string(sentence[:251])+"...")
	}
	out.set("links", []map[string]string{{"href": r.link("nodes/" + h.NodeUUID + "/history/" + h.UUID), "rel": "self"}})
	return out
}

// listHistory is GET /v1/nodes/{node}/history.
func listHistory(r *request) (response, error) {
	a := r.args("detail", "marker", "limit", "sort_key", "sort_dir")
	detail := a.flag("detail")
	delete(a.values, "detail")
	s := selectionOf(r, a, r.tables.history)
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	entries, err := r.api.History.ListHistory(r.Context(), node.UUID, s.page)
	if ingot.CodeOf(err) == ingot.NotFound {
		return response{}, errNoHistory(s.page.Marker)
	}
	if err != nil {
		return response{}, err
	}
	items := listOf(entries, func(h *ingot.History) string { return h.UUID }, func(h *ingot.History) pairs { return r.renderHistory(h, detail != nil && *detail) })
	return r.collection("history", "nodes/"+r.param("node")+"/history", items, s.page.Limit), nil
}

// showHistory is GET /v1/nodes/{node}/history/{entry}.
func showHistory(r *request) (response, error) {
	id, err := r.ident("entry", "event")
	if err != nil {
		return response{}, err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	entry, err := r.api.History.History(r.Context(), id)
	if ingot.CodeOf(err) == ingot.NotFound || err == nil && entry.NodeUUID != node.UUID {
		return response{}, errNoHistory(id)
	}
	if err != nil {
		return response{}, err
	}
	return response{body: r.renderHistory(&entry, true)}, nil
}

func errNoHistory(uuid string) error {
	return ingot.Errorf(ingot.NotFound, "Node history record %s could not be found.", uuid)
}

// showInventory is GET /v1/nodes/{node}/inventory.
func showInventory(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	inventory, plugin, err := r.api.Inventories.Inventory(r.Context(), node.UUID)
	if ingot.CodeOf(err) == ingot.NotFound {
		return response{}, ingot.Errorf(ingot.NotFound, "Node inventory record for node %s could not be found.", node.UUID)
	}
	if err != nil {
		return response{}, err
	}
	if plugin == nil {
		plugin = map[string]any{}
	}
	return response{body: map[string]any{"inventory": inventory, "plugin_data": plugin}}, nil
}

// listChildren is GET /v1/nodes/{node}/children.
func listChildren(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	project, err := r.scopeOf("node", "")
	if err != nil {
		return response{}, err
	}
	children, err := r.api.Nodes.ListNodes(r.Context(), ingot.NodeQuery{ParentNode: node.UUID, Project: project})
	if err != nil {
		return response{}, err
	}
	uuids := []string{}
	for _, child := range children {
		uuids = append(uuids, child.UUID)
	}
	link := map[string]string{"href": r.link("nodes?parent_node=" + node.UUID), "rel": "children"}
	return response{body: map[string]any{"children": uuids, "links": link}}, nil
}

// OperationStore is what the operations' handler needs of the store.
type OperationStore interface {
	// Operations gives a node's operations, newest first, at most limit.
	Operations(ctx context.Context, node string, limit int) ([]ingot.Operation, error)
}

// shownOperations bounds how many operations of a node are shown.
const shownOperations = 20

// listOperations is GET /v1/nodes/{node}/operations, which Ironic has not: what is being done to the node and what was,
// newest first; of a live one the step that is being asked, what it waits for, and when it is asked again.
func listOperations(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	operations, err := r.api.Operations.Operations(r.Context(), node.UUID, shownOperations)
	if err != nil {
		return response{}, err
	}
	items := make([]map[string]any, len(operations))
	for i, o := range operations {
		items[i] = map[string]any{
			"uuid": o.UUID, "kind": o.Kind, "phase": o.Phase, "step": o.Position, "attempt": o.Attempt, "waiting_for": o.Note, "asked_again_at": wireTime(o.DueAt),
			"step_since": wireTime(o.StepSince), "started_at": wireTime(o.StartedAt), "ended_at": wireTime(o.EndedAt), "outcome": o.Outcome, "error": o.Error, "requester": o.Requester, "project": o.Project,
		}
	}
	return response{body: map[string]any{"operations": items}}, nil
}

// showEvidence is GET /v1/nodes/{node}/evidence, which Ironic has not: what the boot service last did for the machine,
// oldest first.
func showEvidence(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	items := make([]map[string]any, len(node.Evidence))
	for i, e := range node.Evidence {
		items[i] = map[string]any{"at": wireTime(e.At), "what": e.What}
	}
	return response{body: map[string]any{"evidence": items}}, nil
}
