//go:build chaos

package serve

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bootClock is the machine's clock, and as many milliseconds more as the file says that INGOT_TEST_BOOTCLOCK names: the
// machine seems to have slept. For make chaos alone.
func bootClock() func() time.Duration {
	path := os.Getenv("INGOT_TEST_BOOTCLOCK")
	return func() time.Duration {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
			panic(err)
		}
		text, _ := os.ReadFile(path) // without the file nothing is added
		more, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return time.Duration(now.Nano()) + time.Duration(more)*time.Millisecond
	}
}
