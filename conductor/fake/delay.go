package fake

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// Delay is how long something takes: a random time within its bounds, more often near the earliest, as Ironic's fake
// drivers have it. The zero value is no time.
type Delay struct{ Earliest, Latest time.Duration }

// Exactly is a delay that is always the same.
func Exactly(d time.Duration) Delay { return Delay{d, d} }

// UnmarshalText reads one time or, with a comma between them, the earliest and the latest. Numbers without a unit are
// seconds, as in Ironic's options: "2", "1,5", "500ms,2s".
func (d *Delay) UnmarshalText(text []byte) error {
	first, second, isRange := strings.Cut(string(text), ",")
	earliest, err := span(first)
	if err != nil {
		return err
	}
	latest := earliest
	if isRange {
		if latest, err = span(second); err != nil {
			return err
		}
	}
	if earliest < 0 || latest < earliest {
		return ingot.Errorf(ingot.Invalid, "cannot use the delay %q: it has to be a time, or an earliest and a latest one", text)
	}
	*d = Delay{earliest, latest}
	return nil
}

func span(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(seconds) < 1e9 {
		return time.Duration(seconds * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, ingot.Errorf(ingot.Invalid, "cannot read the delay %q: it has to be seconds, or a time such as 500ms", text)
	}
	return d, nil
}

// draw is one of the delay's times.
func (d Delay) draw() time.Duration {
	if d.Latest <= d.Earliest {
		return d.Earliest
	}
	width := float64(d.Latest - d.Earliest)
	return d.Latest - time.Duration(width*math.Sqrt(1-rand.Float64())) //nolint:gosec // nothing is kept secret by it
}
