package ipmi

import (
	"sync"

	"github.com/bougou/go-ipmi/pkg/types"
)

// suites are the cipher suites that Ingot speaks, best first: 17 (HMAC-SHA256) and 3 (HMAC-SHA1), both with AES.
var suites = [...]types.CipherSuiteID{types.CipherSuiteID17, types.CipherSuiteID3}

// Suites remembers which cipher suite each BMC speaks, so that only the first session with it has to find out. Its
// zero value is ready; share one among all machines.
type Suites struct {
	mu    sync.Mutex
	known map[string]types.CipherSuiteID
}

// get is the suite that worked at address; false when none is known.
func (s *Suites) get(address string) (types.CipherSuiteID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.known[address]
	return id, ok
}

// keep notes that id worked at address.
func (s *Suites) keep(address string, id types.CipherSuiteID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]types.CipherSuiteID{}
	}
	s.known[address] = id
}

// forget drops what was known: a BMC may have been replaced or set up anew.
func (s *Suites) forget(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, address)
}
