package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// meter counts requests by route, never by path, which names nodes.
type meter struct {
	seconds *prometheus.HistogramVec
}

// newMeter registers the figures, or takes those that the other handler of the same registry has registered.
func newMeter(registry *prometheus.Registry) (meter, error) {
	m := meter{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "ingot_api_request_seconds",
		Help:    "Time to answer API requests, event streams left out.",
		Buckets: []float64{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10},
	}, []string{"method", "route", "code"})}
	err := registry.Register(m.seconds)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if seconds, ok := already.ExistingCollector.(*prometheus.HistogramVec); ok {
			return meter{seconds}, nil
		}
	}
	return m, err
}

// watch measures the requests to a router.
func (m meter) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(seen, r)
		route := chi.RouteContext(r.Context()).RoutePattern()
		if route == "/v1/events" {
			return
		}
		if route == "" {
			route = "none"
		}
		m.seconds.WithLabelValues(method(r.Method), route, strconv.Itoa(seen.Status())).Observe(time.Since(began).Seconds())
	})
}

// method keeps made-up methods from making up figures.
func method(name string) string {
	switch name {
	case "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE":
		return name
	}
	return "other"
}
