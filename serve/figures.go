package serve

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingot-metal/ingot/store"
)

// figuresPatience bounds the counting of what is in the database when somebody reads /metrics.
const figuresPatience = 5 * time.Second

// figures are what /metrics shows of the database: the same whichever process is asked, save for the statements, which are
// its own.
type figures struct {
	stats func(context.Context) (store.Stats, error)
	log   *slog.Logger

	nodes, operations, claimed, late, statements *prometheus.Desc
}

func newFigures(s *store.Store, log *slog.Logger) *figures {
	return &figures{
		stats: s.Stats, log: log,
		nodes:      prometheus.NewDesc("ingot_nodes", "Nodes, by provision state.", []string{"state"}, nil),
		operations: prometheus.NewDesc("ingot_operations", "Operations under way, by kind.", []string{"kind"}, nil),
		claimed:    prometheus.NewDesc("ingot_operations_claimed", "Operations that a conductor works on now.", nil, nil),
		late:       prometheus.NewDesc("ingot_queue_age_seconds", "For how long the operation that is longest due has waited to be claimed.", nil, nil),
		statements: prometheus.NewDesc("ingot_database_statements_total", "Statements that this process has sent to the database.", nil, nil),
	}
}

// Describe names the figures (prometheus.Collector).
func (f *figures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.nodes, f.operations, f.claimed, f.late, f.statements} {
		to <- d
	}
}

// Collect counts (prometheus.Collector). Figures that cannot be had are missing.
func (f *figures) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), figuresPatience)
	defer cancel()
	stats, err := f.stats(ctx)
	if err != nil {
		f.log.Warn("cannot count what is in the database", "error", err)
		return
	}
	for state, n := range stats.Nodes {
		to <- prometheus.MustNewConstMetric(f.nodes, prometheus.GaugeValue, float64(n), string(state))
	}
	for kind, n := range stats.Operations {
		to <- prometheus.MustNewConstMetric(f.operations, prometheus.GaugeValue, float64(n), string(kind))
	}
	to <- prometheus.MustNewConstMetric(f.claimed, prometheus.GaugeValue, float64(stats.Claimed))
	to <- prometheus.MustNewConstMetric(f.late, prometheus.GaugeValue, stats.Late.Seconds())
	to <- prometheus.MustNewConstMetric(f.statements, prometheus.CounterValue, float64(stats.Statements))
}
