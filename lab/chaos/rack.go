package chaos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot/lab/sim"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// server is one pretend machine with its BMC and its agent. One of fake-hardware has neither: it lives in whichever
// conductor speaks to it, and there is nobody to ask about it but the API.
type server struct {
	name    string
	mac     string
	machine *sim.Machine
	agent   *sim.Pretend
	bmc     *vbmc.Server
	journal *vbmc.Log
	redfish bool
	fake    bool

	mu     sync.Mutex
	random *rand.Rand
	node   string // UUID
	cuts   []time.Time
}

// newServer makes the nth machine, with addresses of its own on the loopback network: 127.1.x.y is its agent's, 127.2.x.y
// its BMC's.
func newServer(s *Settings, n int, bootURL string) (*server, error) {
	low := fmt.Sprintf("%d.%d", n/250, n%250+1)
	m := &server{
		name: fmt.Sprintf("node-%d", n), mac: fmt.Sprintf("52:54:00:00:%02x:%02x", n/250, n%250), random: s.random(fmt.Sprintf("machine %d", n)),
		journal: &vbmc.Log{}, redfish: n%3 == 2, fake: n >= s.Nodes-s.Fakes,
	}
	if m.fake {
		return m, nil
	}
	m.machine = &sim.Machine{Dir: filepath.Join(s.Dir, "machines", m.name), MAC: m.mac, BootURL: bootURL, Agent: s.Agent}
	m.agent = &sim.Pretend{Machine: m.machine, Address: "127.1." + low, Takes: m.takes, Beat: 20 * time.Second, Stutter: m.stutter}
	if n >= s.RealAgents {
		m.machine.Run = m.agent.Run
	}
	size := int64(1 << 20)
	if n < s.RealAgents {
		size = 5 << 30 // of holes: what is smaller is none to the real agent
	}
	if err := m.machine.Prepare(size); err != nil {
		return nil, err
	}
	m.bmc = &vbmc.Server{Machine: m.machine, Username: "admin", Password: "secret", Journal: m.journal}
	if m.redfish {
		m.bmc.RedfishListen = net.JoinHostPort("127.2."+low, "0")
	} else {
		m.bmc.IPMIListen = net.JoinHostPort("127.2."+low, "0")
	}
	return m, m.bmc.Listen()
}

// takes is how long the machine's agent takes for things.
func (m *server) takes(command string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch command {
	case "boot":
		return between(m.random, 500*time.Millisecond, 4*time.Second)
	case "standby.prepare_image", "clean.execute_clean_step":
		return between(m.random, 500*time.Millisecond, 5*time.Second)
	}
	return between(m.random, 0, 100*time.Millisecond)
}

// stutter has every fifth heartbeat arrive two or three times, the last of them late.
func (m *server) stutter() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.random.IntN(5) == 0 {
		return 2 + m.random.IntN(2)
	}
	return 1
}

// fields are the node's for the API.
func (m *server) fields() (map[string]any, error) {
	fields := map[string]any{"name": m.name, "properties": map[string]any{"capabilities": "boot_mode:bios"}, "boot_interface": "ipxe", "deploy_interface": "direct", "rescue_interface": "agent"}
	if m.fake {
		return map[string]any{"name": m.name, "driver": "fake-hardware"}, nil
	}
	if m.redfish {
		fields["driver"] = "redfish"
		fields["driver_info"] = map[string]any{"redfish_address": m.bmc.RedfishURL(), "redfish_username": "admin", "redfish_password": "secret"}
		return fields, nil
	}
	host, port, err := net.SplitHostPort(m.bmc.IPMIAddr())
	fields["driver"] = "ipmi"
	fields["driver_info"] = map[string]any{"ipmi_address": host, "ipmi_port": port, "ipmi_username": "admin", "ipmi_password": "secret"}
	return fields, err
}

// lease is the name of the BMC's lease.
func (m *server) lease() string {
	if m.fake {
		return ""
	}
	if m.redfish {
		return m.bmc.RedfishURL()
	}
	return m.bmc.IPMIAddr()
}

// record is what there is to say of the machine now.
func (m *server) record(ctx context.Context, images []image) (Machine, error) {
	if m.fake {
		return Machine{Node: m.node, Name: m.name}, nil
	}
	on, err := m.machine.Power(ctx)
	if err != nil {
		return Machine{}, err
	}
	r := Machine{Node: m.node, Name: m.name, BMC: m.lease(), On: on, Boots: m.machine.Boots(), BMCLog: m.journal.Entries(), Commands: m.agent.Journal()}
	m.mu.Lock()
	r.Cuts = append(r.Cuts, m.cuts...)
	m.mu.Unlock()
	real, err := written(m.machine.Dir, time.Now())
	if err != nil {
		return r, err
	}
	r.Commands = append(r.Commands, real...)
	for _, image := range images {
		if holds, err := m.machine.Holds(image.data); err == nil && holds {
			r.Disk = image.sum
		}
	}
	return r, nil
}

// image is what is deployed.
type image struct {
	path, sum string
	data      []byte
}

// source is the image's URL.
func (i image) source() string { return (&url.URL{Scheme: "file", Path: i.path}).String() }

// makeImages writes a few small disk images with boot sectors.
func makeImages(dir string, random *rand.Rand, n int) ([]image, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	images := make([]image, n)
	for i := range images {
		data := make([]byte, 64<<10)
		for at := 512; at < len(data); at++ {
			data[at] = byte(random.Uint32())
		}
		copy(data[446:], []byte{0x80, 0, 0, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0})
		data[510], data[511] = 0x55, 0xaa
		sum := sha256.Sum256(data)
		images[i] = image{path: filepath.Join(dir, fmt.Sprintf("image-%d.raw", i)), sum: hex.EncodeToString(sum[:]), data: data}
		if err := os.WriteFile(images[i].path, data, 0o644); err != nil {
			return nil, err
		}
	}
	return images, nil
}

// runBMCs serves all BMCs until ctx ends, and then takes the machines' power.
func runBMCs(ctx context.Context, servers []*server) error {
	var group errgroup.Group
	real := slices.DeleteFunc(slices.Clone(servers), func(m *server) bool { return m.fake })
	for _, m := range real {
		group.Go(func() error { return m.bmc.Run(ctx) })
	}
	err := group.Wait()
	for _, m := range real {
		m.machine.Cut()
	}
	return err
}
