package storetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// NewStandby starts a server that follows another, asynchronously and through a relay, which may keep from it what the other
// commits. It ends with the test.
func NewStandby(t testing.TB, primary *Server) (*Server, *Relay) {
	t.Helper()
	relay := NewRelay(t, primary.Address())
	return newServerFrom(t, func(s *Server) {
		host, port, err := net.SplitHostPort(primary.Address())
		s.must(err)
		data := filepath.Join(s.dir, "data")
		said, err := s.as(exec.Command(filepath.Join(s.bin, "pg_basebackup"), "-D", data, "-h", host, "-p", port, "-U", "ingot", "-c", "fast", "-X", "stream")).CombinedOutput()
		if err != nil {
			t.Fatalf("cannot copy a PostgreSQL: %v\n%s", err, said)
		}
		host, port, err = net.SplitHostPort(relay.Address)
		s.must(err)
		settings := fmt.Sprintf("primary_conninfo = 'host=%s port=%s user=ingot application_name=standby'\n", host, port)
		s.must(os.WriteFile(filepath.Join(data, "standby.signal"), nil, 0o600))
		s.must(os.WriteFile(filepath.Join(data, "postgresql.auto.conf"), []byte(settings), 0o600))
		for _, name := range []string{"standby.signal", "postgresql.auto.conf"} {
			s.own(filepath.Join(data, name))
		}
	}), relay
}

// Promote has a standby become a server in its own right, with what it has heard.
func (s *Server) Promote() {
	s.t.Helper()
	s.Ask("SELECT pg_promote(true, 60)")
}

// Address is HOST:PORT of the server.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// own gives a file to the user that the server runs as.
func (s *Server) own(path string) {
	s.t.Helper()
	if os.Getuid() != 0 {
		return
	}
	user, err := unprivileged(s.dir)
	s.must(err)
	s.must(os.Chown(path, int(user.Uid), int(user.Gid)))
}
