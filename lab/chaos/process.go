package chaos

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// process is one conductor: an `ingot serve` of its own name, data folder and address, which comes and goes.
type process struct {
	name    string
	binary  string
	older   string // the binary of the first start; "" is binary
	config  string // file
	log     string // file
	address string // of its API, the same for every start

	mu      sync.Mutex
	command *exec.Cmd
	ended   chan struct{}
	slept   time.Duration // that its clock seems to be ahead
}

// startMark begins each start's part of the log.
const startMark = "==== start"

// start starts it; it goes with this process, however that ends.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintf(log, startMark+" at %s\n", time.Now().UTC().Format(time.RFC3339Nano))
	binary := cmp.Or(p.older, p.binary)
	p.older = ""
	command := exec.Command(binary, "serve", "--config", p.config, "--dev")
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), "INGOT_TEST_BOOTCLOCK="+p.clock())
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("cannot start conductor %s: %w", p.name, err)
	}
	ended := make(chan struct{})
	p.command, p.ended = command, ended
	go func() {
		_ = command.Wait() // how it ended is in its log
		close(ended)
	}()
	return nil
}

// clock is the file that says how much its machine's clock is ahead.
func (p *process) clock() string { return p.config + ".clock" }

// sleep has its machine seem to have slept for d: the clock that counts on meanwhile steps. The file is there whole or not.
func (p *process) sleep(d time.Duration) error {
	p.slept += d
	next := p.clock() + ".next"
	if err := os.WriteFile(next, []byte(strconv.FormatInt(p.slept.Milliseconds(), 10)), 0o644); err != nil {
		return err
	}
	return os.Rename(next, p.clock())
}

// signal sends a signal to the process, if it runs.
func (p *process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.command == nil {
		return nil
	}
	return ignoreDone(p.command.Process.Signal(s))
}

func ignoreDone(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// kill ends it as a fault would, and waits until it is gone.
func (p *process) kill() error {
	err := p.signal(syscall.SIGKILL)
	p.gone()
	return err
}

// endsWithin is how long a conductor that is told to stop may take, whatever trouble the database is in.
const endsWithin = 20 * time.Second

// end has it end by itself. Its error is that it does not, or that it gives a code; one that was not up yet may give one.
func (p *process) end() error {
	if !p.running() {
		return nil
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(endsWithin):
		return errors.Join(fmt.Errorf("conductor %s did not end within %v of being told to; see %s", p.name, endsWithin, p.log), p.kill())
	}
	life, err := p.life()
	if code := p.command.ProcessState.ExitCode(); err == nil && code != 0 && bytes.Contains(life, []byte(upMark)) {
		err = fmt.Errorf("conductor %s was told to stop and ended with code %d; see %s", p.name, code, p.log)
	}
	return err
}

// life is what it has said since its last start.
func (p *process) life() ([]byte, error) {
	text, err := os.ReadFile(p.log)
	return text[max(bytes.LastIndex(text, []byte(startMark)), 0):], err
}

// upMark is said by a process that has started.
const upMark = "ingot is up"

func (p *process) gone() {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// running says whether the process has not ended.
func (p *process) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.command == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// revive starts it again if it ended because it found no database at its start. Its error is that it ended for another
// reason.
func (p *process) revive() (bool, error) {
	if p.running() {
		return false, nil
	}
	life, err := p.life()
	if err != nil {
		return false, err
	}
	last := life[bytes.LastIndexByte(bytes.TrimSpace(life), '\n')+1:]
	if bytes.Contains(life, []byte(upMark)) || !bytes.Contains(last, []byte("database")) {
		return false, fmt.Errorf("conductor %s ended by itself: %s; see %s", p.name, last, p.log)
	}
	return true, p.start()
}

// ready asks whether it does its work.
func (p *process) ready() bool {
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Get("http://" + p.address + "/healthz")
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// newProcess writes a conductor's configuration.
func newProcess(s *Settings, name, address, front, database, more string) (*process, error) {
	dir := filepath.Join(s.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	p := &process{name: name, binary: s.Ingot, config: filepath.Join(dir, "ingot.toml"), log: filepath.Join(s.Dir, name+".log"), address: address}
	text := fmt.Sprintf(`hostname = %q
data = %q
[api]
listen = %q
answer_timeout = "8s"
[boot]
url = %q
ramdisk = %q
[database]
url = "postgres://ingot@%s/postgres?sslmode=disable"
key_file = %q
[images]
file_paths = [%q]
[conductor]
power_sync = "20s"
callback_timeout = "3m"
[fake]
power_delay = "300ms"
boot_delay = "1s"
command_delay = "2s"
`, name, filepath.Join(dir, "data"), address, front, filepath.Join(s.Dir, "ramdisk"), database, s.KeyFile, filepath.Join(s.Dir, "images"))
	return p, os.WriteFile(p.config, []byte(text+more), 0o644)
}
