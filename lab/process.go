package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a process that a rack started, told apart from a later one with the same number by when it began.
type Process struct {
	Role  string `json:"role"` // a node's name, or "service"
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot: proc(5), stat field 22
}

// processOf describes a running process.
func processOf(role string, pid int) (Process, error) {
	p := Process{Role: role, PID: pid}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, fmt.Errorf("cannot look at process %d: %w", pid, err)
	}
	// The second field is a name in parentheses that may hold anything; field 22 is the 20th after it.
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return p, fmt.Errorf("cannot look at process %d: its stat has %d fields", pid, len(fields))
	}
	if fields[0] == "Z" {
		return p, fmt.Errorf("cannot look at process %d: it has ended", pid)
	}
	p.Start, err = strconv.ParseUint(fields[19], 10, 64)
	return p, err
}

// Alive says whether the very same process still runs.
func (p Process) Alive() bool {
	now, err := processOf(p.Role, p.PID)
	return err == nil && now.Start == p.Start
}

// signal sends a signal if the process still runs.
func (p Process) signal(s syscall.Signal) error {
	if !p.Alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("cannot signal process %d (%s): %w", p.PID, p.Role, err)
	}
	return nil
}

// spawner starts processes from one thread that lasts as long as the rack: the kernel kills a child with a parent-death
// signal when the thread that started it ends, not the process (prctl(2), PR_SET_PDEATHSIG).
type spawner struct {
	jobs   chan func()
	over   chan struct{} // closed when no more are started
	ledger *ledger       // knows of every process that runs
}

// newSpawner starts the thread.
func newSpawner(l *ledger) *spawner {
	s := &spawner{jobs: make(chan func()), over: make(chan struct{}), ledger: l}
	go s.run()
	return s
}

// run serves until over is closed. Its thread then goes back to the runtime, so everything that was started has to be
// gone.
func (s *spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case <-s.over:
			return
		case job := <-s.jobs:
			job()
		}
	}
}

// child is a process of the rack.
type child struct {
	Process
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and its output was read
	err  error         // how it ended; read after done
}

// start starts cmd so that it dies with the rack and is out of reach of the terminal's signals.
func (s *spawner) start(role string, cmd *exec.Cmd) (*child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	select {
	case s.jobs <- func() { started <- cmd.Start() }:
	case <-s.over:
		return nil, fmt.Errorf("cannot start %s: the rack is being taken down", role)
	}
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", role, err)
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	var err error
	if c.Process, err = processOf(role, cmd.Process.Pid); err != nil {
		c.Process = Process{Role: role, PID: cmd.Process.Pid} // it has ended already
	}
	s.ledger.began(c.Process)
	go func() {
		c.err = cmd.Wait()
		s.ledger.over(c.Process)
		close(c.done)
	}()
	return c, nil
}

// ended says whether the process is gone.
func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// await waits for the end for a while.
func (c *child) await(most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		return false
	}
}

// kill ends the process at once and waits for it.
func (c *child) kill() {
	if !c.ended() {
		// Its number cannot be another's while it has not been waited for.
		_ = c.cmd.Process.Kill()
	}
	<-c.done
}
