package api

import "time"

// listSnapshots is GET /v1/nodes/{node}/snapshots, which Ironic has not: those of a guest, the oldest first. They are made
// and used by service steps.
func listSnapshots(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	all, err := r.api.Compute.Snapshots(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	list := make([]map[string]any, 0, len(all))
	for i := range all {
		s := &all[i]
		list = append(list, map[string]any{
			"name": s.Name, "power_state": string(s.Power), "parent": orNull(s.Parent), "current": s.Current, "created_at": s.CreatedAt.UTC().Format(time.RFC3339),
		})
	}
	return response{body: map[string]any{"snapshots": list}}, nil
}
