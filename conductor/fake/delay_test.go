package fake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDelay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Delay{
		"0": {}, "2": Exactly(2 * time.Second), "1,5": {time.Second, 5 * time.Second}, " 0.5 , 1m ": {500 * time.Millisecond, time.Minute}, "20ms": Exactly(20 * time.Millisecond),
	} {
		var got Delay
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "soon", "5,1", "-1", "1,", "1,2,3", "1e300", "NaN"} {
		var got Delay
		require.ErrorContains(t, got.UnmarshalText([]byte(text)), "delay", text)
	}
}

// TestDelayIsDrawn: the times are within the bounds, and most are in the half that is nearer to the earliest.
func TestDelayIsDrawn(t *testing.T) {
	t.Parallel()
	require.Equal(t, time.Second, Exactly(time.Second).draw())
	d, near := Delay{time.Second, 3 * time.Second}, 0
	for range 1000 {
		got := d.draw()
		require.GreaterOrEqual(t, got, d.Earliest)
		require.LessOrEqual(t, got, d.Latest)
		if got < 2*time.Second {
			near++
		}
	}
	require.Greater(t, near, 650, "three of four are expected")
}
