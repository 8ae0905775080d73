package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startLimit bounds how long the test binary's PostgreSQL takes to start.
const startLimit = time.Minute

// server starts PostgreSQL once for the test binary, when the first test asks.
var server = sync.OnceValues(startServer)

// errNoPostgres says that the machine has no PostgreSQL.
var errNoPostgres = errors.New("no PostgreSQL on this machine: install postgresql, or name a server in INGOT_TEST_POSTGRES")

// newDatabase gives the URL of an empty database for the test.
func newDatabase(t testing.TB) string {
	t.Helper()
	if base := os.Getenv("INGOT_TEST_POSTGRES"); base != "" {
		name := databaseName()
		ask(t, base, "CREATE DATABASE "+name)
		t.Cleanup(func() { ask(t, base, "DROP DATABASE "+name+" WITH (FORCE)") })
		return within(t, base, name)
	}
	r, err := server()
	if errors.Is(err, errNoPostgres) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("cannot start PostgreSQL: %v", err)
	}
	name := r.take()
	if name == "" {
		name = databaseName()
		ask(t, r.url, "CREATE DATABASE "+name)
	}
	whole := within(t, r.url, name)
	t.Cleanup(func() { // emptied and used again: dropping one has PostgreSQL write all it holds to disk
		ask(t, whole, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		ask(t, whole, "DROP SCHEMA public CASCADE")
		ask(t, whole, "CREATE SCHEMA public")
		r.give(name)
	})
	return whole
}

func databaseName() string { return "ingot_" + strings.ToLower(rand.Text()) }

// within is the URL of a database on the server.
func within(t testing.TB, base, name string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatalf("cannot read the URL of PostgreSQL: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

func ask(t testing.TB, base, statement string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		t.Fatalf("cannot connect to PostgreSQL: %v", err)
	}
	defer c.Close(ctx) //nolint:errcheck // the statement is what counts
	if _, err := c.Exec(ctx, statement); err != nil {
		t.Fatalf("cannot %s: %v", statement, err)
	}
}

// keeper runs PostgreSQL until its standard input ends, which happens when the test binary does, however it ends.
const keeper = `
bin=$1 dir=$2 port=$3
"$bin/initdb" -N -D "$dir/data" -U ingot -A trust -E UTF8 --locale=C >"$dir/log" 2>&1 || exit 1
"$bin/postgres" -D "$dir/data" -k "$dir" -p "$port" -c listen_addresses=127.0.0.1 -c fsync=on -c max_connections=300 \
	-c shared_buffers=64MB >>"$dir/log" 2>&1 </dev/null &
server=$!
read -r forever
kill -INT "$server"
wait "$server"
rm -rf "$dir"
`

// running is the test binary's PostgreSQL. It runs for as long as hold is open, so hold must stay reachable.
type running struct {
	url  string
	hold io.WriteCloser

	mu   sync.Mutex
	idle []string // databases that ended tests left empty
}

func (r *running) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) == 0 {
		return ""
	}
	name := r.idle[len(r.idle)-1]
	r.idle = r.idle[:len(r.idle)-1]
	return name
}

func (r *running) give(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, name)
}

func startServer() (*running, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ingot-postgres-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command := exec.Command("sh", "-c", keeper, "sh", bin, dir, strconv.Itoa(port))
	command.Dir = dir
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt is for the test binary; the keeper sees it end
	if os.Getuid() == 0 {
		if command.SysProcAttr.Credential, err = unprivileged(dir); err != nil {
			return nil, err
		}
	}
	hold, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	base := fmt.Sprintf("postgres://ingot@127.0.0.1:%d/postgres?sslmode=disable", port)
	if err := await(base); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(err, hold.Close(), fmt.Errorf("its log:\n%s", log))
	}
	return &running{url: base, hold: hold}, nil
}

func await(base string) error {
	deadline := time.Now().Add(startLimit)
	for {
		c, err := pgx.Connect(context.Background(), base)
		if err == nil {
			return c.Close(context.Background())
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it did not answer within %v: %w", startLimit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// findBinaries gives the folder of the newest PostgreSQL: Debian's, or the one on the path.
func findBinaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	best, newest := "", -1
	for _, path := range found {
		bin := filepath.Dir(path)
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
		if err == nil && version > newest {
			best, newest = bin, version
		}
	}
	if best != "" {
		return best, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNoPostgres
	}
	return filepath.Dir(path), nil
}

// unprivileged is the user that PostgreSQL runs as when the test is root, which it refuses to run as; dir becomes
// theirs.
func unprivileged(dir string) (*syscall.Credential, error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // nothing was sent
	return l.Addr().(*net.TCPAddr).Port, nil
}
