package ipmi_test

import (
	"testing"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/ipmi"
)

// Power states a second from one virtual BMC, one after the other: with a session each as power sync has them, with
// one session kept, and by ipmitool.
func BenchmarkPowerState(b *testing.B) {
	for _, way := range []struct {
		name, backend string
		keep          bool
	}{{"native", ipmi.BackendNative, false}, {"native-kept", ipmi.BackendNative, true}, {"ipmitool", ipmi.BackendTool, false}} {
		b.Run(way.name, func(b *testing.B) {
			_, port := bmcAt(b)
			opt := ipmi.Options{Backend: way.backend, Suites: &ipmi.Suites{}}
			m, err := ipmi.New(infoFor(port), opt)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if state, err := m.PowerState(b.Context()); err != nil || state != ingot.PowerOff {
					b.Fatal(state, err)
				}
				if !way.keep {
					if err := m.(ingot.Closer).Close(); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := m.(ingot.Closer).Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "states/s")
		})
	}
}
