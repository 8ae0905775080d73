package sim_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// BenchmarkDeploy measures what Ingot adds to a deploy: from the API's call to active on a simulated server, which has
// neither firmware nor a kernel to wait for, less the time that writing the same bytes to the same disk and flushing
// them takes. It also gives the most memory that the agent needed.
func BenchmarkDeploy(b *testing.B) {
	const size = 256 << 20
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, size)
		r.start(nil)
		r.enrol()
		raw := rawWrite(b, r.image)
		b.StartTimer()
		start := time.Now()
		r.deploy()
		end := r.ended()
		total := time.Since(start)
		require.Equal(b, ingot.Active, end.ProvisionState, end.LastError)
		b.StopTimer()
		r.kill()
		r.machine.Cut()
		b.ReportMetric(total.Seconds(), "deploy-s")
		b.ReportMetric(raw.Seconds(), "rawwrite-s")
		b.ReportMetric((total - raw).Seconds(), "overhead-s")
		b.ReportMetric(float64(r.machine.AgentPeak())/(1<<20), "agent-peak-MiB")
		b.StartTimer()
	}
}

// rawWrite writes the bytes to a file as dd conv=fsync does, and says how long it took.
func rawWrite(b *testing.B, data []byte) time.Duration {
	b.Helper()
	f, err := os.CreateTemp(b.TempDir(), "raw")
	require.NoError(b, err)
	defer f.Close()
	start := time.Now()
	for at := 0; at < len(data); at += 1 << 20 {
		_, err := f.WriteAt(data[at:min(at+1<<20, len(data))], int64(at))
		require.NoError(b, err)
	}
	require.NoError(b, f.Sync())
	return time.Since(start)
}
