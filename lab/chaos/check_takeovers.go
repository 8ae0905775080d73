package chaos

import (
	"fmt"
	"slices"
	"time"
)

// How soon the claims of a conductor that is dead must be another's, in 99 of 100 cases, and how many have to be measured
// for that to say something.
const (
	takeoverLimit = 5 * time.Second
	takeoversMust = 30
)

// takeovers: the others take over soon, where nothing hinders them.
func takeovers(all []Takeover) []Violation {
	took := unhindered(all)
	p99 := quantile(took, 0.99)
	if len(took) < takeoversMust || p99 < takeoverLimit {
		return nil
	}
	return []Violation{{Kind: Slow, Evidence: fmt.Sprintf("p99 of %d is %v, the longest %v", len(took), p99, took[len(took)-1])}}
}

// unhindered are the times of those that nothing hindered, in order.
func unhindered(all []Takeover) []time.Duration {
	var took []time.Duration
	for _, t := range all {
		if !t.Hindered {
			took = append(took, t.Took)
		}
	}
	slices.Sort(took)
	return took
}

// quantile of times in order; 0 of none.
func quantile(took []time.Duration, q float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	return took[min(int(q*float64(len(took))), len(took)-1)]
}
