package vbmc_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// machine is a machine in memory with every ability.
type machine struct {
	mu     sync.Mutex
	on     bool
	fail   error       // of everything
	refuse error       // of SetPower
	boots  []vbmc.Boot // what each start or reset was told to boot
	nmis   int
	media  string
	serial net.Conn
	stuck  chan struct{} // when set, SetPower says so here and hangs
}

func (m *machine) Power(context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.on, m.fail
}

func (m *machine) SetPower(ctx context.Context, action vbmc.PowerAction, boot vbmc.Boot) error {
	if m.stuck != nil {
		m.stuck <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := cmp.Or(m.fail, m.refuse); err != nil {
		return err
	}
	m.on = action == vbmc.PowerOn || action == vbmc.PowerReset
	if m.on {
		m.boots = append(m.boots, boot)
	}
	return nil
}

func (m *machine) InjectNMI(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nmis++
	return nil
}

func (m *machine) LoadMedia(_ context.Context, image string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.media = image
	return nil
}

func (m *machine) OpenConsole(context.Context) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.serial == nil {
		return nil, errors.New("no serial port")
	}
	return m.serial, nil
}

func (m *machine) Describe() vbmc.Description {
	return vbmc.Description{
		Manufacturer: "Acme", Model: "Anvil", Serial: "A-1",
		UUID: uuid.MustParse("4c4c4544-0051-3510-8052-b4c04f4b4d31"),
		MACs: []string{"52:54:00:00:00:01", "52:54:00:00:00:02"}, CPUs: 4, MemoryMiB: 2048,
	}
}

// breakDown makes everything fail from now on.
func (m *machine) breakDown(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *machine) lastBoot(t *testing.T) vbmc.Boot {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.boots) == 0 {
		t.Fatal("the machine was never started")
	}
	return m.boots[len(m.boots)-1]
}

// bmcUnderTest is a running server with what a test looks at.
type bmcUnderTest struct {
	*vbmc.Server
	machine *machine
	log     *vbmc.Log
}

const (
	testUser     = "admin"
	testPassword = "secret-17"
)

// start runs a server on free ports until the test ends; change may alter it
// before it starts.
func start(t *testing.T, change func(*vbmc.Server)) bmcUnderTest {
	t.Helper()
	m, log := &machine{}, &vbmc.Log{}
	server := &vbmc.Server{
		Machine: m, IPMIListen: "127.0.0.1:0", RedfishListen: "127.0.0.1:0",
		Username: testUser, Password: testPassword, Journal: log,
	}
	if change != nil {
		change(server)
	}
	run(t, server)
	return bmcUnderTest{server, m, log}
}

// run runs server until the test ends.
func run(t *testing.T, server *vbmc.Server) {
	t.Helper()
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
}

// ipmitool runs the real ipmitool against b with the usual login.
func (b bmcUnderTest) ipmitool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := b.tryIpmitool(t, testUser, testPassword, args...)
	if err != nil {
		t.Fatalf("ipmitool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (b bmcUnderTest) tryIpmitool(t *testing.T, user, password string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("ipmitool")
	if err != nil {
		t.Skip("ipmitool is not installed: apt-get install ipmitool")
	}
	host, port, err := net.SplitHostPort(b.IPMIAddr())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, path, append([]string{
		"-I", "lanplus", "-H", host, "-p", port,
		"-U", user, "-P", password, "-N", "2", "-R", "2",
	}, args...)...)
	out, err := command.CombinedOutput()
	return string(out), err
}
