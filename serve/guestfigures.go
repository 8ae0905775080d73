package serve

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingot-metal/ingot"
)

// guestFigures are what /metrics shows of guests that run, by node, on the compute hosts that this process looks after.
type guestFigures struct {
	stats func(context.Context) ([]ingot.GuestStats, error)
	log   *slog.Logger
	rows  []guestFigure
}

// guestFigure is one figure of each guest.
type guestFigure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(*ingot.GuestStats) float64
}

func newGuestFigures(stats func(context.Context) ([]ingot.GuestStats, error), log *slog.Logger) *guestFigures {
	f := &guestFigures{stats: stats, log: log}
	add := func(name, help string, kind prometheus.ValueType, of func(*ingot.GuestStats) float64) {
		f.rows = append(f.rows, guestFigure{prometheus.NewDesc("ingot_guest_"+name, help, []string{"node"}, nil), kind, of})
	}
	counter := func(name, help string, of func(*ingot.GuestStats) uint64) {
		add(name, help, prometheus.CounterValue, func(s *ingot.GuestStats) float64 { return float64(of(s)) })
	}
	add("cpu_seconds_total", "Processor time that a guest's machine has used since it was started.", prometheus.CounterValue, func(s *ingot.GuestStats) float64 { return s.CPU.Seconds() })
	add("memory_bytes", "Memory that a guest has.", prometheus.GaugeValue, func(s *ingot.GuestStats) float64 { return float64(s.Memory) })
	add("resident_bytes", "Memory that a guest's machine takes of its host.", prometheus.GaugeValue, func(s *ingot.GuestStats) float64 { return float64(s.Resident) })
	counter("disk_read_bytes_total", "Bytes that a guest has read from its disks.", func(s *ingot.GuestStats) uint64 { return s.Disk.BytesIn })
	counter("disk_written_bytes_total", "Bytes that a guest has written to its disks.", func(s *ingot.GuestStats) uint64 { return s.Disk.BytesOut })
	counter("disk_reads_total", "Requests of a guest to read.", func(s *ingot.GuestStats) uint64 { return s.Disk.CountIn })
	counter("disk_writes_total", "Requests of a guest to write.", func(s *ingot.GuestStats) uint64 { return s.Disk.CountOut })
	counter("disk_errors_total", "Requests of a guest to its disks that failed.", func(s *ingot.GuestStats) uint64 { return s.Disk.Errors })
	counter("network_received_bytes_total", "Bytes that a guest has received.", func(s *ingot.GuestStats) uint64 { return s.Network.BytesIn })
	counter("network_sent_bytes_total", "Bytes that a guest has sent.", func(s *ingot.GuestStats) uint64 { return s.Network.BytesOut })
	counter("network_received_packets_total", "Packets that a guest has received.", func(s *ingot.GuestStats) uint64 { return s.Network.CountIn })
	counter("network_sent_packets_total", "Packets that a guest has sent.", func(s *ingot.GuestStats) uint64 { return s.Network.CountOut })
	counter("network_errors_total", "Packets from and to a guest that were dropped or broken.", func(s *ingot.GuestStats) uint64 { return s.Network.Errors })
	return f
}

// Describe names the figures (prometheus.Collector).
func (f *guestFigures) Describe(to chan<- *prometheus.Desc) {
	for _, row := range f.rows {
		to <- row.desc
	}
}

// Collect asks each compute host once (prometheus.Collector). Figures that cannot be had are missing.
func (f *guestFigures) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), figuresPatience)
	defer cancel()
	all, err := f.stats(ctx)
	if err != nil {
		f.log.Warn("cannot count what guests use", "error", err)
		return
	}
	for i := range all {
		for _, row := range f.rows {
			to <- prometheus.MustNewConstMetric(row.desc, row.kind, row.of(&all[i]), all[i].Guest)
		}
	}
}
