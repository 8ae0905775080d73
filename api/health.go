package api

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ingot-metal/ingot"
)

// showReady is GET /healthz: 200 once the service can do its work.
func showReady(r *request) (response, error) {
	if r.api.Ready != nil {
		if err := r.api.Ready(r.Context()); err != nil {
			return response{}, ingot.Errorf(ingot.Unavailable, "%w", err)
		}
	}
	return response{body: map[string]string{"status": "ready"}}, nil
}

// showAlive is GET /livez: 200 while the process answers at all.
func showAlive(*request) (response, error) {
	return response{body: map[string]string{"status": "alive"}}, nil
}

// showMetrics is GET /metrics, in Prometheus' text format.
func showMetrics(r *request) (response, error) {
	return response{stream: func(w http.ResponseWriter) {
		promhttp.HandlerFor(r.api.Registry, promhttp.HandlerOpts{}).ServeHTTP(w, r.Request)
	}}, nil
}
