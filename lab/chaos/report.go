package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// Report is what came of a run.
type Report struct {
	Seed       uint64
	Counts     Counts
	Requests   map[Answer]int
	Outcomes   map[string]int // by kind and outcome
	BMC        int            // commands that BMCs got
	Violations []Violation
	Record     Record
}

func (r *run) report(record Record) Report {
	report := Report{Seed: r.Seed, Counts: r.trouble.counts, Requests: map[Answer]int{}, Outcomes: map[string]int{}, Record: record}
	for _, q := range record.Requests {
		report.Requests[q.Answer]++
	}
	for _, e := range record.Events {
		if e.Type == "operation.ended" {
			report.Outcomes[ingot.Text(e.Data, "kind")+" "+ingot.Text(e.Data, "outcome")]++
		}
	}
	for _, m := range record.Machines {
		report.BMC += len(m.BMCLog)
	}
	report.Violations = Check(record)
	return report
}

// String is the summary for people.
func (r Report) String() string {
	var b strings.Builder
	c := r.Counts
	fmt.Fprintf(&b, "seed %d\n", r.Seed)
	fmt.Fprintf(&b, "conductors: %d kills, %d pauses (%d longer than any lease), %d told to stop, %d steps of a clock\n", c.Kills, c.Pauses, c.LongPauses, c.Stops, c.ClockSteps)
	fmt.Fprintf(&b, "database: %d restarts, %d crashes, %d connections cut, %d stalled, %d times slow to commit, %d times a disk that hardly answers, %d times a full disk\n", c.Restarts, c.Crashes, c.Cuts, c.Stalls, c.SlowCommits, c.SlowDisks, c.FullDisks)
	fmt.Fprintf(&b, "machines: %d power cuts, %d times a BMC misbehaved\n", c.PowerCuts, c.BMCFaults)
	fmt.Fprintf(&b, "requests: %d accepted, %d refused, %d without an answer, %d answered 500\n", r.Requests[Accepted], r.Requests[Refused], r.Requests[Unknown], r.Requests[Broken])
	fmt.Fprintf(&b, "BMC commands: %d; leases: %d\n", r.BMC, len(r.Record.Grants))
	fmt.Fprintf(&b, "addresses promised: %d\n", len(r.Record.Offers))
	b.WriteString("outcomes:")
	for _, name := range slices.Sorted(maps.Keys(r.Outcomes)) {
		fmt.Fprintf(&b, " %s %d;", name, r.Outcomes[name])
	}
	took := unhindered(r.Record.Takeovers)
	fmt.Fprintf(&b, "\ntakeover: p50 %v, p99 %v of %d (%d more while the others or the database were in trouble too)\n",
		quantile(took, 0.5).Round(time.Millisecond), quantile(took, 0.99).Round(time.Millisecond), len(took), len(r.Record.Takeovers)-len(took))
	fmt.Fprintf(&b, "violations: %d\n", len(r.Violations))
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "  %s\n", v)
	}
	return b.String()
}
