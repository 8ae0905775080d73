package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// machine is a QEMU machine as its BMC controls it (vbmc.Machine). It is on while its process runs.
type machine struct {
	spec    NodeSpec
	tap     string
	accel   Accel
	files   machineFiles
	netns   string
	spawn   *spawner
	log     *slog.Logger
	console *console
	// takeBoot is the BMC's answer to a machine that starts without being told to.
	takeBoot func() vbmc.Boot

	// mu is held through every change of power, so that nobody sees half of one.
	mu      sync.Mutex
	process *child // nil while the machine is off
	monitor *monitor
	closed  bool // the rack is being taken down
}

// machineFiles are the places of one machine.
type machineFiles struct {
	disk, vars, errors, journal string // in the rack's folder
	monitor, console            string // sockets in its run folder: their paths have to be short
}

// Times that a QEMU process is given.
const (
	startTime = 30 * time.Second // to open its monitor, on a loaded machine
	quitTime  = 3 * time.Second  // to end when asked to
)

// Power says whether the machine is on.
func (m *machine) Power(context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process != nil && !m.process.ended(), nil
}

// SetPower carries out what the BMC was told.
func (m *machine) SetPower(ctx context.Context, action vbmc.PowerAction, boot vbmc.Boot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch action {
	case vbmc.PowerOn:
		return m.logged(m.startLocked(boot))
	case vbmc.PowerOff:
		m.stopLocked()
		return nil
	case vbmc.PowerReset:
		m.stopLocked()
		return m.logged(m.startLocked(boot))
	case vbmc.PowerShutdown:
		if m.process == nil {
			return nil
		}
		return m.monitor.do(ctx, "system_powerdown", nil)
	}
	return fmt.Errorf("cannot do %q to a virtual machine", action)
}

// InjectNMI interrupts the processors.
func (m *machine) InjectNMI(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil {
		return errors.New("cannot interrupt a machine that is off")
	}
	return m.monitor.do(ctx, "inject-nmi", nil)
}

// OpenConsole joins the serial port, for Serial over LAN.
func (m *machine) OpenConsole(context.Context) (io.ReadWriteCloser, error) {
	return m.console.attach(), nil
}

// Describe is the inventory that the BMC shows.
func (m *machine) Describe() vbmc.Description {
	return vbmc.Description{
		Manufacturer: "Ingot", Model: "Virtual rack", Serial: m.spec.Serial, UUID: m.spec.UUID, MACs: []string{m.spec.MAC},
		CPUs: m.spec.CPUs, MemoryMiB: m.spec.MemoryMiB, LegacyBIOS: m.spec.Firmware == ingot.ModeBIOS,
	}
}

// logged keeps an error that the BMC's protocols have no words for.
func (m *machine) logged(err error) error {
	if err != nil {
		m.log.Error("the BMC could not do what it was told", "node", m.spec.Name, "error", err)
	}
	return err
}

// startLocked starts the process; the machine is on when QEMU answers.
func (m *machine) startLocked(boot vbmc.Boot) error {
	if m.process != nil || m.closed {
		return nil
	}
	if err := os.Remove(m.files.monitor); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot start %s: %w", m.spec.Name, err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: m.files.monitor, Net: "unix"})
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", m.spec.Name, err)
	}
	defer listener.Close()
	words, err := os.Create(m.files.errors)
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", m.spec.Name, err)
	}
	defer words.Close()
	line := m.commandLine(boot)
	cmd := exec.Command("ip", append([]string{"netns", "exec", m.netns}, line...)...)
	cmd.Stdout, cmd.Stderr = m.console, words
	typed, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", m.spec.Name, err)
	}
	if err := m.console.begin(typed); err != nil {
		return err
	}
	process, err := m.spawn.start(m.spec.Name, cmd)
	if err != nil {
		m.console.end()
		return err
	}
	return m.adoptLocked(process, listener, boot)
}

// adoptLocked waits for a new process to connect its monitor, and watches over it from then on.
func (m *machine) adoptLocked(process *child, listener *net.UnixListener, boot vbmc.Boot) error {
	monitor, err := m.greet(process, listener)
	if err != nil {
		process.kill()
		m.console.end()
		said, _ := os.ReadFile(m.files.errors) // without its words the error stands alone
		return fmt.Errorf("cannot start %s: %w: %s", m.spec.Name, err, said)
	}
	m.process, m.monitor = process, monitor
	m.log.Info("machine started", "node", m.spec.Name, "boot", boot.String(), "pid", process.PID)
	go m.watch(process, monitor)
	return nil
}

func (m *machine) greet(process *child, listener *net.UnixListener) (*monitor, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	go func() { // a process that has ended will not connect
		select {
		case <-process.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	defer context.AfterFunc(ctx, func() { _ = listener.SetDeadline(time.Now()) })()
	conn, err := listener.Accept()
	if err != nil {
		return nil, fmt.Errorf("QEMU opened no monitor: %w", err)
	}
	return newMonitor(ctx, conn)
}

// stopLocked cuts the power: QEMU is asked to end, and killed when it does not.
func (m *machine) stopLocked() {
	if m.process == nil {
		return
	}
	process, monitor := m.process, m.monitor
	m.process, m.monitor = nil, nil
	ctx, cancel := context.WithTimeout(context.Background(), quitTime)
	defer cancel()
	if monitor.do(ctx, "quit", nil) != nil || !process.await(quitTime) {
		process.kill()
	}
	m.over("power was cut")
}

// over is what follows the end of a process.
func (m *machine) over(why string) {
	m.console.end()
	m.log.Info("machine stopped", "node", m.spec.Name, "why", why)
}

// watch waits for the end of a process. A guest that rebooted gets a new one, which boots what the BMC says now.
func (m *machine) watch(process *child, monitor *monitor) {
	<-process.done
	<-monitor.closed
	monitor.close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != process {
		return // the BMC stopped it
	}
	m.process, m.monitor = nil, nil
	if monitor.shutdown != "guest-reset" {
		why := monitor.shutdown
		if why == "" {
			why = fmt.Sprint("QEMU ended: ", process.err)
		}
		m.over(why)
		return
	}
	m.console.end()
	if m.closed {
		return
	}
	m.log.Info("machine reboots by itself", "node", m.spec.Name)
	if err := m.startLocked(m.takeBoot()); err != nil {
		m.over(err.Error())
	}
}

// close stops the machine for good.
func (m *machine) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.stopLocked()
}
