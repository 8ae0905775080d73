package api

import (
	"log/slog"
	"net/http"
	"strings"
)

// audit writes a line for each request that changed something or was to: who asked, from where, for what, and how it
// ended. Neither bodies nor parameters are in it, for they may hold secrets.
func (r *request) audit(status int) {
	if r.rule == public || !r.changes() || r.passed {
		return
	}
	outcome := "done"
	switch {
	case status == http.StatusAccepted:
		outcome = "accepted"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		outcome = "denied"
	case status >= 500:
		outcome = "failed"
	case status >= 400:
		outcome = "refused"
	}
	node := r.about
	if node == "" && r.rule != "" {
		node = r.param("node")
	}
	log := r.api.Audit
	if log == nil {
		log = r.api.log()
	}
	log.LogAttrs(r.Context(), slog.LevelInfo, "audit", slog.String("user", r.who.User), slog.String("project", r.who.Project), slog.String("from", r.from()),
		slog.String("request", r.id), slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("node", node),
		slog.String("outcome", outcome), slog.Int("status", status))
}

// changes says whether the request is one that may change something; a vendor's method may whatever way it is called.
func (r *request) changes() bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return true
	}
	return strings.HasSuffix(r.rule, "vendor_passthru") && !strings.HasSuffix(r.URL.Path, "/methods")
}
