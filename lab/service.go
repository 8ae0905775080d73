package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Service says how Ingot runs beside the machines: in the rack's namespace, in a process of its own, with the API's
// listener handed over from outside, so that clients reach it as if it ran here.
type Service struct {
	// Program is the command line that `serve --config FILE` is added to; nil is this very program.
	Program []string
	// Listen is the API's address outside the namespace; "" is 127.0.0.1:6385, and port 0 takes a free one.
	Listen string
	// Ramdisk is a folder with vmlinuz and initramfs.zst; required.
	Ramdisk string
	// Images are folders that image sources of the kind file:// may lie in.
	Images []string
	// Database is a postgres:// URL reachable inside the namespace; "" is SQLite in the rack's folder.
	Database string
	// Beside is how many more processes of all roles share Database, each with a host name (lab-1, lab-2, …), a data folder
	// and an address on the bridge of its own. The API's and the boot listener's sockets are of all, as a load balancer or
	// an address that moves would have it.
	Beside int
	// Secret is the key file of Database.
	Secret string
	// Guests enables compute hosts; the program needs libvirt for them.
	Guests bool
	// More is added to the end of the configuration (TOML tables).
	More string
}

// networkName is what the service's configuration calls the rack's network.
const networkName = "rack"

// servicePort is the boot listener's, on the bridge's address.
const servicePort = 8080

// serviceStop is how long the service may take to end by itself.
const serviceStop = 15 * time.Second

// service is the process of a Service, which tests kill and start again.
type service struct {
	Service
	rack     *Rack
	number   int              // 0 is the first, whose listeners the others share
	listener *net.TCPListener // stays open while the process changes
	handed   *os.File         // the same socket, as the process gets it
	boot     *os.File         // the boot listener's socket, where several processes share it; nil is none
	log      string           // file with what the process says

	mu      sync.Mutex
	process *child // nil when it was stopped
	failed  chan error
}

// start starts the process, unless it runs.
func (s *service) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return nil
	}
	program := s.Program
	if len(program) == 0 {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("cannot find this program: %w", err)
		}
		program = []string{self}
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("cannot keep the service's log: %w", err)
	}
	defer log.Close()
	args := append([]string{"netns", "exec", s.rack.record().Namespace}, program...)
	cmd := exec.Command("ip", append(args, "serve", "--config", s.configFile(), "--verbose")...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{s.handed}
	if s.boot != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, s.boot)
	}
	// The file is the whole configuration, whatever the environment of the rack says.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "INGOT_") })
	process, err := s.rack.spawn.start(s.role(), cmd)
	if err != nil {
		return err
	}
	s.process = process
	go s.watch(process)
	return nil
}

// watch reports an end that nobody asked for.
func (s *service) watch(process *child) {
	<-process.done
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == process {
		s.process = nil
		s.failed <- fmt.Errorf("the service ended by itself: %v; its last words are in %s", process.err, s.log)
	}
}

// end takes the process out of watch's sight.
func (s *service) end() *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	process := s.process
	s.process = nil
	return process
}

// stop ends the process in good order.
func (s *service) stop() error {
	process := s.end()
	if process == nil {
		return nil
	}
	err := process.signal(syscall.SIGTERM)
	if !process.await(serviceStop) {
		process.kill()
		return errors.Join(err, fmt.Errorf("the service did not end within %s of being asked; it was killed", serviceStop))
	}
	return err
}

// kill ends the process at once, as a crash would.
func (s *service) kill() {
	if process := s.end(); process != nil {
		process.kill()
	}
}

// run keeps the process running until ctx ends.
func (s *service) run(ctx context.Context) error {
	if err := s.start(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return s.stop()
	case err := <-s.failed:
		return err
	}
}

// close gives the listener up.
func (s *service) close() error {
	if s.number > 0 {
		return nil // they are the first's
	}
	var errs []error
	if s.boot != nil {
		errs = append(errs, s.boot.Close())
	}
	if s.handed != nil {
		errs = append(errs, s.handed.Close())
	}
	if s.listener != nil {
		errs = append(errs, s.listener.Close())
	}
	return errors.Join(errs...)
}
