package ipmi_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/ipmi"
)

// What ipmitool says of sensors and log is what the driver says.
func TestSensorsAndLogAsIpmitoolReadsThem(t *testing.T) {
	sim := startSimulator(t)
	ctx, info := within(t, 20*time.Second), sim.info()
	info["ipmi_cipher_suite"] = 3
	m := machine(t, info, ipmi.Options{})

	said, err := sim.tool("-P", "secret", "sdr", "list")
	require.NoError(t, err, said)
	require.Regexp(t, `CPU Temp +\| 42 degrees C +\| ok`, said)
	read, err := m.(ingot.Sensors).Sensors(ctx)
	require.NoError(t, err)
	require.Equal(t, []ingot.Sensor{{Name: "CPU Temp", Kind: "temperature", Value: 42, Unit: "degrees C", Status: "ok"}}, read)

	sim.write(t, "events", "0x04 0x01 0x01 0x01 0x57 0x00 0x00 # upper critical going high\n0x04 0x04 0x02 0x81 0x52 0x00 0x00 # deasserted lower critical going low\n")
	said, err = sim.tool("-P", "secret", "sel", "add", filepath.Join(sim.dir, "events"))
	require.NoError(t, err, said)
	for name, log := range map[string]ingot.EventLog{"native": m.(ingot.EventLog), "tool": machine(t, info, ipmi.Options{Backend: ipmi.BackendTool}).(ingot.EventLog)} {
		entries, err := log.EventLog(ctx)
		require.NoError(t, err)
		require.Len(t, entries, 2, name)
		require.Contains(t, entries[0].Sensor, "Temperature", name)
		require.Contains(t, entries[0].Message, "Upper", name)
		require.Contains(t, entries[1].Sensor, "Fan", name)
		require.Contains(t, entries[1].Message, "Lower Critical", name)
		for _, e := range entries {
			require.NotEmpty(t, e.ID, name)
			if e.At != "" {
				_, err := time.Parse(time.RFC3339, e.At)
				require.NoError(t, err, name)
			}
		}
	}
	require.NoError(t, m.(ingot.EventLog).ClearEventLog(ctx))
	said, err = sim.tool("-P", "secret", "sel", "list")
	require.NoError(t, err, said)
	require.Equal(t, "SEL has no entries", strings.TrimSpace(said))
}
