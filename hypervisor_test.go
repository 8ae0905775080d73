package ingot_test

import (
	"testing"
	"time"

	"github.com/ingot-metal/ingot"
)

// TestHypervisorStates walks a compute host through what happens to it.
func TestHypervisorStates(t *testing.T) {
	t.Parallel()
	h := ingot.Hypervisor{URI: "a", State: ingot.HypervisorConnecting}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	lost := ingot.Observation{URI: "a", Reason: "refused"}
	found := ingot.Observation{URI: "a", Facts: &ingot.HostFacts{}}
	ill := ingot.Observation{URI: "a", Facts: &ingot.HostFacts{Problems: []string{"no pool default", "no bridge br0"}}}
	for i, step := range []struct {
		see    ingot.Observation
		set    func()
		want   ingot.HypervisorState
		reason string
	}{
		{lost, nil, ingot.HypervisorDown, "refused"},
		{found, nil, ingot.HypervisorUp, ""},
		{lost, nil, ingot.HypervisorDegraded, "refused"},
		{lost, nil, ingot.HypervisorDegraded, "refused"},
		{lost, nil, ingot.HypervisorDown, "refused"},
		{ill, nil, ingot.HypervisorDegraded, "no pool default; no bridge br0"},
		{found, func() { h.Disabled = true }, ingot.HypervisorDisabled, ""},
		{lost, nil, ingot.HypervisorDisabled, "refused"},
		{found, func() { h.Draining = true }, ingot.HypervisorDraining, ""},
		{found, func() { h.Draining, h.Disabled = false, false }, ingot.HypervisorUp, ""},
		{ingot.Observation{URI: "b", Reason: "of another URI"}, nil, ingot.HypervisorUp, ""},
	} {
		if step.set != nil {
			step.set()
		}
		if h.Observe(step.see, now); h.State != step.want || h.StateReason != step.reason {
			t.Fatalf("step %d: want %s (%s), got %s (%s)", i, step.want, step.reason, h.State, h.StateReason)
		}
	}
	if !h.LastSeenAt.Equal(now) {
		t.Error("it was seen")
	}
}

// TestFailuresAreForgotten an hour after the last one.
func TestFailuresAreForgotten(t *testing.T) {
	t.Parallel()
	failed := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	h := ingot.Hypervisor{URI: "a", State: ingot.HypervisorUp, Failures: 2, FailedAt: failed}
	h.Observe(ingot.Observation{URI: "a", Facts: &ingot.HostFacts{}}, failed.Add(59*time.Minute))
	if h.Failures != 2 {
		t.Errorf("after 59 minutes: %d failures", h.Failures)
	}
	h.Observe(ingot.Observation{URI: "a", Facts: &ingot.HostFacts{}}, failed.Add(time.Hour))
	if h.Failures != 0 {
		t.Errorf("after an hour: %d failures", h.Failures)
	}
}
