package disk

import (
	"sync"
	"time"
)

// The phases of a write, in their order.
const (
	PhaseWrite  = "write"  // downloading, decoding and writing, which run at the same time
	PhaseVerify = "verify" // reading back
	PhaseFinish = "finish" // the first megabyte and the partition table
)

// Progress is how far a write is.
type Progress struct {
	Phase string
	// Done and Total count bytes of the disk in this phase, zero runs included; Total is -1 while not known.
	Done, Total int64
	// Downloaded and DownloadTotal count bytes of the file; DownloadTotal is -1 while not known.
	Downloaded, DownloadTotal int64
	// Rate is Done per second since the phase began.
	Rate float64
}

// meter collects progress from all goroutines and reports it, never twice at once and not more often than every.
type meter struct {
	report func(Progress)
	every  time.Duration
	now    func() time.Time

	mu    sync.Mutex
	p     Progress
	began time.Time
	last  time.Time
}

// phase begins a phase of total bytes.
func (m *meter) phase(name string, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.began = m.now()
	m.p.Phase, m.p.Done, m.p.Total = name, 0, total
	m.emitLocked()
}

// done counts n bytes of the disk.
func (m *meter) done(n int64) { m.count(n, 0) }

// downloaded counts n bytes of the file.
func (m *meter) downloaded(n int64) { m.count(0, n) }

func (m *meter) count(disk, file int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p.Done += disk
	m.p.Downloaded += file
	if m.report != nil && m.now().Sub(m.last) >= m.every {
		m.emitLocked()
	}
}

// total sets what has become known of the sizes; negative values are not known.
func (m *meter) total(disk, file int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p.Total, m.p.DownloadTotal = disk, file
}

// flush reports the state as it is.
func (m *meter) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.emitLocked()
}

func (m *meter) emitLocked() {
	if m.report == nil {
		return
	}
	m.last = m.now()
	m.p.Rate = 0
	if spent := m.last.Sub(m.began).Seconds(); spent > 0 {
		m.p.Rate = float64(m.p.Done) / spent
	}
	m.report(m.p)
}
