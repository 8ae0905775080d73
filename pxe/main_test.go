package pxe_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	keep   = flag.String("captures", "", "folder to write packet captures of the boot tests to")
)

const inNamespace = "INGOT_PXE_NETNS"

// TestMain runs the whole test binary again in a network namespace of its own, when root: the tests then make bridges
// and taps as they like, and all is gone with the process.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Geteuid() != 0 || os.Getenv(inNamespace) != "" {
		os.Exit(m.Run())
	}
	child := exec.Command(os.Args[0], os.Args[1:]...)
	child.Env = append(os.Environ(), inNamespace+"=1")
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	signal.Ignore(syscall.SIGINT) // the terminal sends it to the child as well
	if err := child.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// needRoot skips a test that makes network interfaces.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getenv(inNamespace) == "" {
		t.Skip("needs root, to make a network namespace")
	}
}

// needProgram skips a test whose other side is not installed.
func needProgram(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs %s", name)
		}
	}
}

// run is a command that has to work.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
