//go:build !chaos

package serve

import "time"

// bootClock is the clock by which a conductor judges its own pulse; nil is the machine's.
func bootClock() func() time.Duration { return nil }
