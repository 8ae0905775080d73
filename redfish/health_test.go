package redfish_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestHealth: the system's own Status.Health and Manufacturer.
func TestHealth(t *testing.T) {
	m := bare(t)
	monitor, ok := ingot.As[ingot.HealthMonitor](m)
	require.True(t, ok)
	health, err := monitor.Health(within(t, 10*time.Second))
	require.NoError(t, err)
	require.Equal(t, ingot.HealthOK, health)
	namer, ok := ingot.As[ingot.MakerNamer](m)
	require.True(t, ok)
	maker, err := namer.Maker(within(t, 10*time.Second))
	require.NoError(t, err)
	require.NotEmpty(t, maker)
}
