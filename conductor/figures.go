package conductor

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingot-metal/ingot"
)

// Figures are what a conductor counts. A nil one counts nothing.
type Figures struct {
	claims, fenced prometheus.Counter
	passes         *prometheus.CounterVec
	takeovers      prometheus.Histogram
	latency        prometheus.Histogram
	claimFaults    prometheus.Gauge
}

// NewFigures registers the figures of a conductor.
func NewFigures(registry prometheus.Registerer) (*Figures, error) {
	f := &Figures{
		claims:    prometheus.NewCounter(prometheus.CounterOpts{Name: "ingot_claims_total", Help: "Operations that this conductor claimed."}),
		fenced:    prometheus.NewCounter(prometheus.CounterOpts{Name: "ingot_fenced_commits_total", Help: "Passes that were dropped because their claim was lost."}),
		passes:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ingot_passes_total", Help: "Passes that were committed, by the operation's kind."}, []string{"kind"}),
		takeovers: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "ingot_takeover_seconds", Help: "From a dead conductor's last beat until its claims were put back.", Buckets: []float64{3, 3.5, 4, 4.5, 5, 7, 10, 30}}),
		latency:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "ingot_database_seconds", Help: "Time of a beat's transaction.", Buckets: []float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3}}),

		claimFaults: prometheus.NewGauge(prometheus.GaugeOpts{Name: "ingot_claim_faults", Help: "What was wrong with the claims of the compute hosts that this conductor looks after, when it last looked: anything but 0 is an error."}),
	}
	var errs []error
	for _, c := range []prometheus.Collector{f.claims, f.fenced, f.passes, f.takeovers, f.latency, f.claimFaults} {
		errs = append(errs, registry.Register(c))
	}
	return f, errors.Join(errs...)
}

func (f *Figures) claimed(n int) {
	if f != nil {
		f.claims.Add(float64(n))
	}
}

func (f *Figures) committed(kind ingot.Kind) {
	if f != nil {
		f.passes.WithLabelValues(string(kind)).Inc()
	}
}

func (f *Figures) dropped() {
	if f != nil {
		f.fenced.Inc()
	}
}

func (f *Figures) audited(faults int) {
	if f != nil {
		f.claimFaults.Set(float64(faults))
	}
}

func (f *Figures) answered(took time.Duration) {
	if f != nil {
		f.latency.Observe(took.Seconds())
	}
}

func (f *Figures) tookOver(t ingot.Takeover) {
	if f != nil {
		f.takeovers.Observe(t.Silent.Seconds())
	}
}
