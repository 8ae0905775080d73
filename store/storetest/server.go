package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ingot-metal/ingot/store"
)

// Server is a PostgreSQL of the test's own, which it can stop and start.
type Server struct {
	URL string // of an empty database

	t       testing.TB
	bin     string
	dir     string
	disk    bool // dir is a disk of its own
	port    int
	hold    io.WriteCloser // the server runs for as long as it is open; nil is stopped
	command *exec.Cmd
}

// guard runs PostgreSQL until its standard input ends, and then has it crash or stop.
const guard = `
bin=$1 dir=$2 port=$3
"$bin/postgres" -D "$dir/data" -k "$dir" -p "$port" -c listen_addresses=127.0.0.1 -c fsync=on -c shared_buffers=32MB >>"$dir/log" 2>&1 </dev/null &
server=$!
how=INT
read -r how
kill -"${how:-INT}" "$server"
wait "$server"
`

// NewServer starts a PostgreSQL, which ends with the test. Without PostgreSQL on the machine the test is skipped.
func NewServer(t testing.TB) *Server {
	t.Helper()
	return newServer(t, func(*Server) {})
}

// newServer starts an empty one in a folder that furnish was given first.
func newServer(t testing.TB, furnish func(*Server)) *Server {
	t.Helper()
	return newServerFrom(t, func(s *Server) {
		furnish(s)
		initdb := s.as(exec.Command(filepath.Join(s.bin, "initdb"), "-N", "-D", filepath.Join(s.dir, "data"), "-U", "ingot", "-A", "trust", "-E", "UTF8", "--locale=C"))
		said, err := initdb.CombinedOutput()
		if err != nil {
			t.Fatalf("cannot make a PostgreSQL: %v\n%s", err, said)
		}
	})
}

// newServerFrom starts one in a folder in which fill puts its data.
func newServerFrom(t testing.TB, fill func(*Server)) *Server {
	t.Helper()
	bin, err := findBinaries()
	if errors.Is(err, errNoPostgres) {
		t.Skip(err)
	}
	s := &Server{t: t, bin: bin}
	s.must(err)
	s.dir, err = os.MkdirTemp("", "ingot-postgres-")
	s.must(err)
	t.Cleanup(func() {
		s.Stop()
		os.RemoveAll(s.dir) //nolint:errcheck // a folder of temporary files
	})
	fill(s)
	s.port, err = freePort()
	s.must(err)
	s.URL = fmt.Sprintf("postgres://ingot@127.0.0.1:%d/postgres?sslmode=disable", s.port)
	s.Start()
	return s
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("cannot run PostgreSQL: %v", err)
	}
}

// as has the command run as a user that PostgreSQL lets.
func (s *Server) as(command *exec.Cmd) *exec.Cmd {
	command.Dir = s.dir
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 {
		var err error
		command.SysProcAttr.Credential, err = unprivileged(s.dir)
		s.must(err)
	}
	return command
}

// Start starts it again.
func (s *Server) Start() {
	s.t.Helper()
	s.command = s.as(exec.Command("sh", "-c", guard, "sh", s.bin, s.dir, strconv.Itoa(s.port)))
	var err error
	s.hold, err = s.command.StdinPipe()
	s.must(err)
	s.must(s.command.Start())
	if err := await(s.URL); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("cannot start PostgreSQL: %v; its log:\n%s", err, log)
	}
}

// Stop ends all connections and stops it.
func (s *Server) Stop() { s.end("INT") }

// SocketURL is URL for processes in other network namespaces: PostgreSQL's socket is a file.
func (s *Server) SocketURL() string {
	return fmt.Sprintf("postgres://ingot@/postgres?host=%s&port=%d", s.dir, s.port)
}

// StartEnded starts it again if it ended by itself, as whatever supervises it would.
func (s *Server) StartEnded() {
	s.t.Helper()
	c, err := pgx.Connect(context.Background(), s.URL)
	if err == nil {
		c.Close(context.Background()) //nolint:errcheck // that it answers is what counts
		return
	}
	s.Stop()
	s.Start()
}

// Crash ends it as a fault would: it recovers when it is started.
func (s *Server) Crash() { s.end("QUIT") }

func (s *Server) end(signal string) {
	if s.hold == nil {
		return
	}
	_, err := io.WriteString(s.hold, signal+"\n")
	s.must(errors.Join(err, s.hold.Close()))
	s.hold = nil
	_ = s.command.Wait() // the signal's code
}

// Ask has the server carry out a statement.
func (s *Server) Ask(statement string) {
	s.t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, s.URL)
	s.must(err)
	defer c.Close(ctx) //nolint:errcheck // the statement is what counts
	_, err = c.Exec(ctx, statement)
	s.must(err)
}

// Query gives the text of a statement's only value.
func (s *Server) Query(statement string) string {
	s.t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, s.URL)
	s.must(err)
	defer c.Close(ctx) //nolint:errcheck // the statement is what counts
	var value any
	s.must(c.QueryRow(ctx, statement).Scan(&value))
	return fmt.Sprint(value)
}

// Config is for a store on the server, or on what stands before it at address ("" is the server itself).
func (s *Server) Config(address string) store.Config {
	url := s.URL
	if address != "" {
		url = fmt.Sprintf("postgres://ingot@%s/postgres?sslmode=disable", address)
	}
	return store.Config{URL: url, Secret: Secret, Host: "localhost"}
}
