// Package sim is servers without firmware: each is a virtual BMC in front of a folder with a disk, and what boots on it is
// the real agent as an ordinary process. Many fit into one process, boot in milliseconds, and do to their disks what real
// machines do; tests, demonstrations and figures use the same ones.
package sim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// Machine is one server (vbmc.Machine). Set the fields, then put a vbmc.Server in front of it.
type Machine struct {
	Dir     string // the machine's folder: disk.img is its disk, boot.log what its agents said
	MAC     string
	BootURL string // of the boot listener; asked for /boot/script as iPXE asks
	Agent   string // the deploy-agent's binary
	UEFI    bool
	// Run is what the ramdisk runs instead of the binary, with its kernel's command line, until the power is cut; nil runs
	// Agent.
	Run func(ctx context.Context, cmdline string)

	mu    sync.Mutex
	power *session
	boots []Boot
	peak  int64
}

// Boot is one start of a machine: what it found to run.
type Boot struct {
	At   time.Time
	What string // "ramdisk", "disk", "nothing: …"
}

// session is one time between power on and power off.
type session struct {
	stop context.CancelFunc
	done chan struct{}
}

// Prepare makes the machine's folder with an empty disk of so many bytes.
func (m *Machine) Prepare(size int64) error {
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return fmt.Errorf("cannot make machine %s: %w", m.MAC, err)
	}
	if m.UEFI {
		if err := os.MkdirAll(filepath.Join(m.Dir, "efivars"), 0o755); err != nil {
			return fmt.Errorf("cannot make machine %s: %w", m.MAC, err)
		}
	}
	f, err := os.Create(m.Disk())
	if err != nil {
		return fmt.Errorf("cannot make machine %s: %w", m.MAC, err)
	}
	return errors.Join(f.Truncate(size), f.Close())
}

// Disk is the path of the machine's disk.
func (m *Machine) Disk() string { return filepath.Join(m.Dir, "disk.img") }

// Boots are the machine's starts so far.
func (m *Machine) Boots() []Boot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Boot(nil), m.boots...)
}

// Power says whether the machine is on.
func (m *Machine) Power(context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.power != nil, nil
}

// SetPower switches the machine. A shutdown is obeyed at once, and a reset is off and on.
func (m *Machine) SetPower(_ context.Context, action vbmc.PowerAction, boot vbmc.Boot) error {
	if action != vbmc.PowerOn {
		m.Cut()
	}
	if action == vbmc.PowerOn || action == vbmc.PowerReset {
		m.start(boot)
	}
	return nil
}

// Cut takes the machine's power away, whatever it is doing.
func (m *Machine) Cut() {
	m.mu.Lock()
	s := m.power
	m.power = nil
	m.mu.Unlock()
	if s != nil {
		s.stop()
		<-s.done
	}
}

// start boots the machine.
func (m *Machine) start(boot vbmc.Boot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.power != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &session{stop: stop, done: make(chan struct{})}
	m.power = s
	go func() {
		defer close(s.done)
		m.boot(ctx, boot)
	}()
}

// boot does what firmware does: the network if it was told so, else the disk.
func (m *Machine) boot(ctx context.Context, boot vbmc.Boot) {
	if boot.Device == vbmc.BootPXE {
		cmdline, err := m.ask(ctx)
		if err == nil && cmdline != "" {
			m.note("ramdisk")
			if m.Run != nil {
				m.Run(ctx, cmdline)
				return
			}
			m.runAgent(ctx, cmdline)
			return
		}
		if err != nil {
			m.note("nothing: " + err.Error())
			return
		}
	}
	if !m.bootable() {
		m.note("nothing: the disk has no boot sector")
		return
	}
	m.note("disk")
}

func (m *Machine) note(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boots = append(m.boots, Boot{At: time.Now(), What: what})
}

// ask fetches the boot script as iPXE does and gives the kernel's command line; "" where the script leaves the network.
// A service that does not answer is asked again, as the script itself does.
func (m *Machine) ask(ctx context.Context) (string, error) {
	place := m.BootURL + "/boot/script?mac=" + url.QueryEscape(m.MAC)
	for {
		script, err := get(ctx, place)
		if err == nil {
			return kernelLine(script), nil
		}
		timer := time.NewTimer(200 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return "", fmt.Errorf("no boot script: %w", err)
		case <-timer.C:
		}
	}
}

func get(ctx context.Context, place string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", place, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return string(text), err
}

// kernelLine is the command line of the script's kernel.
func kernelLine(script string) string {
	lines := bufio.NewScanner(strings.NewReader(script))
	for lines.Scan() {
		rest, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "kernel ")
		if !ok {
			continue
		}
		rest, _, _ = strings.Cut(rest, " || ")
		_, args, _ := strings.Cut(rest, " ")
		return args
	}
	return ""
}

// runAgent runs the agent until it ends or the power is cut, which kills it as it is.
func (m *Machine) runAgent(ctx context.Context, cmdline string) {
	log, err := os.OpenFile(filepath.Join(m.Dir, "boot.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		m.note("nothing: " + err.Error())
		return
	}
	defer log.Close()
	agent := exec.CommandContext(ctx, m.Agent, "--sim", m.Dir, "--mac", m.MAC, "--cmdline", cmdline)
	agent.Stdout, agent.Stderr = log, log
	agent.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	agent.Cancel = func() error {
		m.measure(agent.Process.Pid)
		return agent.Process.Kill()
	}
	if err := agent.Run(); err != nil && ctx.Err() == nil {
		m.note("the agent ended: " + err.Error())
	}
}

// measure keeps the most memory that an agent needed: VmHWM of proc(5), as the rusage of a child begins with its
// parent's.
func (m *Machine) measure(pid int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.peak = max(m.peak, kib<<10)
}

// AgentPeak is the most memory that one of the machine's agents had resident, in bytes, measured when its power is cut.
func (m *Machine) AgentPeak() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.peak
}

// bootable says whether the disk begins with a boot sector (its signature, 55 aa).
func (m *Machine) bootable() bool {
	f, err := os.Open(m.Disk())
	if err != nil {
		return false
	}
	defer f.Close()
	sector := make([]byte, 512)
	_, err = f.ReadAt(sector, 0)
	return err == nil && sector[510] == 0x55 && sector[511] == 0xaa
}
