package pxe_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/ingot-metal/ingot"
)

// decider answers every machine from a table by MAC, and keeps the evidence.
type decider struct {
	mu    sync.Mutex
	specs map[string]ingot.BootSpec
	asked []ingot.BootRequest
	seen  []string
	err   error
	news  chan struct{}
}

func newDecider(specs map[string]ingot.BootSpec) *decider {
	return &decider{specs: specs, news: make(chan struct{}, 1)}
}

func (d *decider) Decide(_ context.Context, req ingot.BootRequest) (ingot.BootSpec, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, req)
	if d.err != nil {
		return ingot.BootSpec{}, d.err
	}
	if spec, ok := d.specs[req.MAC]; ok {
		return spec, nil
	}
	return ingot.BootSpec{Action: ingot.BootSilence, Why: "unknown machine"}, nil
}

func (d *decider) Saw(e ingot.BootEvidence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = append(d.seen, e.Network+" "+e.MAC+" "+e.What)
	select {
	case d.news <- struct{}{}:
	default:
	}
}

func (d *decider) evidence() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.seen)
}

func (d *decider) requests() []ingot.BootRequest {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// leases is a lease store in memory that keeps the contract of pxe.LeaseStore.
type leases struct {
	mu       sync.Mutex
	rows     map[string]ingot.Lease // by network and MAC
	reserved map[string]ingot.Lease // by MAC
	groups   []int                  // how many leases each commit had
	err      error
	block    chan struct{} // when set, a commit waits for it
}

func newLeases() *leases {
	return &leases{rows: map[string]ingot.Lease{}, reserved: map[string]ingot.Lease{}}
}

func (l *leases) Leases(_ context.Context, network string) ([]ingot.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []ingot.Lease
	for _, row := range l.rows {
		if row.Network == network {
			all = append(all, row)
		}
	}
	return all, l.err
}

func (l *leases) CommitLeases(_ context.Context, now int64, group []ingot.Lease) ([]int, error) {
	if l.block != nil {
		<-l.block
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	l.groups = append(l.groups, len(group))
	var refused []int
	for i, lease := range group {
		if l.takenLocked(lease, now) {
			refused = append(refused, i)
			continue
		}
		for k, row := range l.rows {
			if row.Network == lease.Network && row.Address == lease.Address {
				delete(l.rows, k)
			}
		}
		l.rows[lease.Network+" "+lease.MAC] = lease
	}
	return refused, nil
}

func (l *leases) takenLocked(lease ingot.Lease, now int64) bool {
	for _, row := range l.rows {
		if row.Network == lease.Network && row.Address == lease.Address && row.MAC != lease.MAC && row.Until > now {
			return true
		}
	}
	for mac, r := range l.reserved {
		if r.Address == lease.Address && mac != lease.MAC {
			return true
		}
	}
	return false
}

// OfferLease keeps the contract of pxe.Offers.
func (l *leases) OfferLease(_ context.Context, lease ingot.Lease) (ingot.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := lease.Until - 60
	if row, ok := l.rows[lease.Network+" "+lease.MAC]; ok && row.Until > now {
		row.Until = max(row.Until, lease.Until)
		l.rows[lease.Network+" "+lease.MAC] = row
		return row, nil
	}
	if l.takenLocked(lease, now) {
		return lease, ingot.Errorf(ingot.Conflict, "taken")
	}
	l.rows[lease.Network+" "+lease.MAC] = lease
	return lease, l.err
}

func (l *leases) Reservation(_ context.Context, _, mac string) (ingot.Lease, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.reserved[mac]
	return r, ok, l.err
}

// end has a machine's lease be over, as another boot service may.
func (l *leases) end(network, mac string, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row := l.rows[network+" "+mac]
	row.Until = now
	l.rows[network+" "+mac] = row
}

// move has another machine have the address.
func (l *leases) move(network, from, to string, until int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row := l.rows[network+" "+from]
	delete(l.rows, network+" "+from)
	row.MAC, row.Until = to, until
	l.rows[network+" "+to] = row
}

// row is the lease of a MAC.
func (l *leases) row(network, mac string) (ingot.Lease, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, ok := l.rows[network+" "+mac]
	return row, ok
}

// files serves one set of files under the token "good".
type files map[string][]byte

func (f files) Open(_ context.Context, token, name string) (io.ReadSeekCloser, int64, error) {
	if token == "broken" {
		return nil, 0, io.ErrUnexpectedEOF
	}
	data, ok := f[name]
	if token != "good" || !ok {
		return nil, 0, ingot.Errorf(ingot.NotFound, "cannot open %s: %w", name, fs.ErrNotExist)
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(data), io.NopCloser(nil)}, int64(len(data)), nil
}

// lines is a log that a test reads.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// loaders stands for the package ipxe, without the loader for arm64.
func loaders() fs.FS {
	return fstest.MapFS{
		"undionly.kpxe": {Data: bytes.Repeat([]byte("bios"), 5000)},
		"snponly.efi":   {Data: bytes.Repeat([]byte("uefi"), 9000)},
		"ipxe.iso":      {Data: []byte("not for machines")},
	}
}
