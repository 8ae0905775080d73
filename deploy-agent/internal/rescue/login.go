package rescue

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/conductor/shacrypt"
)

// busybox is the program that a ramdisk with a shell has (`ingot ramdisk build --shell`).
const busybox = "/bin/busybox"

// ErrNoShell is why nobody can log in to a ramdisk that was built without a shell.
var ErrNoShell = errors.New("this ramdisk has no shell to log in to: build it with `ingot ramdisk build --shell FILE` (a static busybox), " +
	"or set driver_info rescue_kernel and rescue_ramdisk to another ramdisk's")

// wrongPause is how long a wrong password is answered with silence.
const wrongPause = 3 * time.Second

// Console is the login on the machine's console.
type Console struct {
	Terminal *os.File // read and written
	// Pause lets time pass after a wrong password.
	Pause func(time.Duration)
	// Shell runs a shell on the terminal until it ends.
	Shell func(*os.File) error
}

// Installed says whether the ramdisk has a shell, and puts its programs where a shell looks for them.
func Installed() error {
	if _, err := os.Stat(busybox); err != nil {
		return ErrNoShell
	}
	// Process 1's reaper may be quicker than Wait: what counts is that the links are there.
	_ = exec.Command(busybox, "--install", "-s", "/bin").Run()
	if _, err := os.Lstat("/bin/sh"); err != nil {
		return fmt.Errorf("busybox did not install its programs: %w", err)
	}
	return nil
}

// Serve lets users in, one after the other, until the terminal is gone.
func (c *Console) Serve(hash string) error {
	lines := bufio.NewReader(c.Terminal)
	for {
		user, err := c.ask(lines, "\nrescue login: ", true)
		if err != nil {
			return err
		}
		password, err := c.ask(lines, "Password: ", false)
		if err != nil {
			return err
		}
		if !slices.Contains([]string{"rescue", "root"}, user) || !shacrypt.Verify(hash, password) {
			c.Pause(wrongPause)
			if _, err := io.WriteString(c.Terminal, "\nLogin incorrect\n"); err != nil {
				return err
			}
			continue
		}
		if err := c.Shell(c.Terminal); err != nil {
			if _, err := fmt.Fprintf(c.Terminal, "\ncannot start a shell: %v\n", err); err != nil {
				return err
			}
		}
	}
}

// ask reads a line, shown or not.
func (c *Console) ask(lines *bufio.Reader, prompt string, shown bool) (string, error) {
	if !shown { // before the prompt: who answers quickly is not shown either
		defer hide(c.Terminal)()
	}
	if _, err := io.WriteString(c.Terminal, prompt); err != nil {
		return "", err
	}
	line, err := lines.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// hide switches the terminal's echo off until the function that it gives is called. What is no terminal echoes nothing.
func hide(terminal *os.File) (restore func()) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	if unix.IoctlSetTermios(fd, unix.TCSETS, &quiet) != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) } // the terminal may be gone; there is nothing to restore then
}

// BusyboxShell runs busybox' shell with the terminal as its controlling one.
func BusyboxShell(terminal *os.File) error {
	shell := exec.Command(busybox)
	shell.Args = []string{"-sh"}
	shell.Env = []string{"HOME=/root", "PATH=/bin:/sbin:/usr/bin:/usr/sbin", "TERM=linux", "USER=root"}
	shell.Dir = "/root"
	shell.Stdin, shell.Stdout, shell.Stderr = terminal, terminal, terminal
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := shell.Start(); err != nil {
		return err
	}
	_ = shell.Wait() // it ended; process 1's reaper may have taken its status
	return nil
}
