package sim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/lab/sim"
	"github.com/ingot-metal/ingot/lab/vbmc"
	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

var agentBinary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ingot-sim")
	if err == nil {
		agentBinary = filepath.Join(dir, "deploy-agent")
		build := exec.Command("go", "build", "-o", agentBinary, "../../deploy-agent")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot build the agent:", err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// rig is one simulated server, the service's data folder, and services that come and go over it.
type rig struct {
	t       testing.TB
	data    string
	boot    string // HOST:PORT of the boot listener, the same for every service
	machine *sim.Machine
	journal *vbmc.Log
	bmc     *vbmc.Server
	image   []byte
	node    string

	database serve.Database
	app      *serve.App
	stop     func()
}

// smallImage is the size of the image that tests write, in bytes.
const smallImage = 3 << 20

// rigs counts the rigs of this process.
var rigs atomic.Uint32

// bootAddress is where a rig's services listen, one after the other: on a loopback address of the rig's own, since a port
// of 127.0.0.1 may become anybody's while no service runs.
func bootAddress() string {
	n := rigs.Add(1)
	return fmt.Sprintf("127.77.%d.%d:6180", n>>8, n&0xff)
}

func newRig(t testing.TB, imageSize int) *rig {
	t.Helper()
	r := &rig{t: t, data: t.TempDir(), boot: bootAddress(), journal: &vbmc.Log{}, stop: func() {}}
	r.machine = &sim.Machine{Dir: t.TempDir(), MAC: "52:54:00:00:00:01", BootURL: "http://" + r.boot, Agent: agentBinary}
	require.NoError(t, r.machine.Prepare(int64(imageSize)*2))
	r.bmc = &vbmc.Server{Machine: r.machine, IPMIListen: "127.0.0.1:0", Username: "admin", Password: "secret", Journal: r.journal}
	require.NoError(t, r.bmc.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.bmc.Run(ctx) }()
	t.Cleanup(func() {
		r.kill()
		r.machine.Cut()
		cancel()
		<-ended
	})
	r.makeImage(imageSize)
	return r
}

// makeImage writes a disk image with a boot sector and one partition, half of it empty.
func (r *rig) makeImage(size int) {
	r.t.Helper()
	r.image = make([]byte, size)
	random := rand.NewChaCha8([32]byte{7})
	_, err := random.Read(r.image[:size/2])
	require.NoError(r.t, err)
	copy(r.image[446:510], make([]byte, 64))
	copy(r.image[446:], []byte{0x80, 0, 0, 0, 0x83, 0, 0, 0, 64, 0, 0, 0, 0, 16, 0, 0}) // one MBR partition: Linux, 2 MiB from sector 64
	r.image[510], r.image[511] = 0x55, 0xaa
	require.NoError(r.t, os.MkdirAll(filepath.Join(r.data, "images"), 0o755))
	require.NoError(r.t, os.WriteFile(r.imagePath(), r.image, 0o644))
}

func (r *rig) imagePath() string { return filepath.Join(r.data, "images", "disk.raw") }

// start begins a service on the data folder; change adjusts its conductor.
func (r *rig) start(change func(*conductor.Conductor)) {
	r.t.Helper()
	app, err := serve.New(r.t.Context(), serve.Config{
		Data: r.data, API: serve.API{Listen: "127.0.0.1:0"}, Boot: serve.Boot{Listen: r.boot}, Hostname: "here",
		Conduct: serve.Conduct{PowerSync: -1}, Database: r.database,
	}, slog.New(slog.DiscardHandler))
	require.NoError(r.t, err)
	app.Conductor.Ramdisk = map[string]string{"vmlinuz": "/dev/null", "initramfs": "/dev/null"}
	app.Conductor.Settings.Poll = 50 * time.Millisecond
	if change != nil {
		change(app.Conductor)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	r.app = app
	r.stop = func() { cancel(); <-ended }
}

// kill ends the service. What it had claimed stays claimed.
func (r *rig) kill() {
	r.stop()
	r.stop = func() {}
}

// enrol creates the node, as available, with its port.
func (r *rig) enrol() {
	r.t.Helper()
	host, port, err := net.SplitHostPort(r.bmc.IPMIAddr())
	require.NoError(r.t, err)
	n := ingot.Node{
		UUID: uuid.NewString(), Name: "node-0", Driver: "ipmi", ProvisionState: ingot.Available, PowerState: ingot.PowerOff,
		DriverInfo:   map[string]any{"ipmi_address": host, "ipmi_port": port, "ipmi_username": "admin", "ipmi_password": ingot.Secret("secret")},
		Properties:   map[string]any{"capabilities": "boot_mode:bios", "root_device": map[string]any{"size": "> 0"}},
		InstanceInfo: map[string]any{"image_source": "file://" + r.imagePath(), "image_os_hash_value": sha256Of(r.image), "image_disk_format": "raw"},
		Interfaces:   ingot.Interfaces{Boot: "ipxe", Deploy: "direct", Inspect: "agent", Power: "ipmitool", Management: "ipmitool"},
	}
	port0 := ingot.Port{UUID: uuid.NewString(), NodeUUID: n.UUID, Address: r.machine.MAC, PXEEnabled: true}
	require.NoError(r.t, r.app.Store.CreateNode(r.t.Context(), &n, []ingot.Port{port0}))
	r.node = n.UUID
}

func sha256Of(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (r *rig) deploy() {
	r.t.Helper()
	n, err := r.app.Store.Node(r.t.Context(), r.node)
	require.NoError(r.t, err)
	require.NoError(r.t, r.app.Conductor.Provision(r.t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbActive}))
}

// ended waits until nothing is under way.
func (r *rig) ended() ingot.Node {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		_, err := r.app.Store.LiveOperation(r.t.Context(), r.node, ingot.LaneProvision)
		n, nodeErr := r.app.Store.Node(r.t.Context(), r.node)
		require.NoError(r.t, nodeErr)
		if ingot.CodeOf(err) == ingot.NotFound {
			return n
		}
		require.NoError(r.t, err)
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(r.machine.Dir, "boot.log"))
			op, _ := r.app.Store.LiveOperation(r.t.Context(), r.node, ingot.LaneProvision)
			require.FailNow(r.t, "the operation never ended", "step %s, note %q, node %+v\nboots %v\n%s", op.Position, op.Note, n, r.machine.Boots(), log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// verdict asks the world: the right bytes are on the disk, the machine runs from it, and so many agents wrote it.
func (r *rig) verdict(ramdisks int) {
	r.t.Helper()
	disk, err := os.ReadFile(r.machine.Disk())
	require.NoError(r.t, err)
	require.True(r.t, bytes.Equal(r.image, disk[:len(r.image)]), "the disk does not hold the image")
	var booted, started int
	for _, b := range r.machine.Boots() {
		switch b.What {
		case "ramdisk":
			booted++
		case "disk":
			started++
		default:
			r.t.Errorf("the machine booted %q", b.What)
		}
	}
	require.Equal(r.t, ramdisks, booted, "ramdisk boots: %v", r.machine.Boots())
	require.Equal(r.t, 1, started, "disk boots: %v", r.machine.Boots())
	log, err := os.ReadFile(filepath.Join(r.machine.Dir, "boot.log"))
	require.NoError(r.t, err)
	require.Equal(r.t, ramdisks, strings.Count(string(log), `msg="writing the image"`), "writes that agents began:\n%s", log)
}

func TestDeploy(t *testing.T) {
	r := newRig(t, smallImage)
	r.start(nil)
	r.enrol()
	r.deploy()
	end := r.ended()
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	r.verdict(1)
}

// TestDeployOnPostgres kills the service in the write, on PostgreSQL.
func TestDeployOnPostgres(t *testing.T) {
	r := newRig(t, smallImage)
	keys := filepath.Join(r.data, "keys")
	require.NoError(t, os.WriteFile(keys, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	r.database = serve.Database{URL: storetest.PostgresConfig(t).URL, KeyFile: keys}
	killedAt(t, r, "run-steps", "inside")
}

// mortal is a store whose conductor can be killed: from then on nothing that it does is written.
type mortal struct {
	*store.Store
	mu      sync.Mutex
	dead    bool
	commits int
	after   int
}

var errDead = errors.New("this conductor was killed")

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

func (m *mortal) CommitPass(ctx context.Context, result ingot.Result) error {
	if m.isDead() {
		return errDead
	}
	err := m.Store.CommitPass(ctx, result)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.commits++; m.commits == m.after {
		m.dead = true
	}
	return err
}

func (m *mortal) ClaimOperations(ctx context.Context, by ingot.Claimer, n int) ([]ingot.Pass, error) {
	if m.isDead() {
		return nil, errDead
	}
	return m.Store.ClaimOperations(ctx, by, n)
}

// deploySteps are the names under which the deploy plan's steps are killed.
func deploySteps() []string {
	return []string{
		"check", "image", "config-drive", "power-off", "network-boot", "power-on", "agent", "collect-steps", "run-steps",
		"sync", "power-off-agent", "disk-boot", "power-on-instance",
	}
}

// TestKilledAtEveryStep kills the service once in each run, before, inside and after each step of a deploy with the real
// agent writing a real file: the image is on the disk, and one boot of the ramdisk wrote it.
func TestKilledAtEveryStep(t *testing.T) {
	for _, step := range deploySteps() {
		for _, moment := range []string{"before", "inside", "after"} {
			t.Run(moment+" "+step, func(t *testing.T) { killedOnce(t, step, moment) })
		}
	}
}

func killedOnce(t *testing.T, step, moment string) {
	killedAt(t, newRig(t, smallImage), step, moment)
}

func killedAt(t *testing.T, r *rig, step, moment string) {
	killed := make(chan struct{})
	r.start(func(c *conductor.Conductor) {
		m := &mortal{Store: c.Operations.(*store.Store)}
		c.Operations = m
		var once sync.Once
		c.Intercept = func(_ context.Context, _ *conductor.Run, s conductor.Step, do func() (conductor.Progress, error)) (p conductor.Progress, err error) {
			if s.Name != step || moment != "before" {
				p, err = do()
			}
			if s.Name == step {
				once.Do(func() {
					m.mu.Lock()
					defer m.mu.Unlock()
					m.dead, m.after = moment != "after", m.commits+1
					close(killed)
				})
			}
			return p, err
		}
	})
	r.enrol()
	r.deploy()
	<-killed
	r.kill()
	r.start(nil)
	end := r.ended()
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	r.verdict(1)
}

// TestPowerCutDuringTheWrite takes the power away in the middle of the write: the plan notices, begins again, and succeeds.
func TestPowerCutDuringTheWrite(t *testing.T) {
	r := newRig(t, smallImage)
	var once sync.Once
	r.start(func(c *conductor.Conductor) {
		c.Intercept = func(_ context.Context, _ *conductor.Run, s conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			p, err := do()
			if s.Name == "run-steps" {
				once.Do(r.machine.Cut)
			}
			return p, err
		}
	})
	r.enrol()
	r.deploy()
	end := r.ended()
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	r.verdict(2)
}
