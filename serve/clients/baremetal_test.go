package clients_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// python is Debian's own, which has its packages: another one may come first in PATH.
const python = "/usr/bin/python3"

// commandLine is Debian's command line client of Ironic: one process for all commands of all scripts.
type commandLine struct {
	mu   sync.Mutex
	in   io.Writer
	out  *bufio.Scanner
	used map[string]bool // commands by their words, with what follows
}

// TestBaremetal runs scripts of Debian's `baremetal` against services of their own. INGOT_TEST_UPDATE=1 writes what the
// commands print into the golden parts. Every command that the client has is in a script.
func TestBaremetal(t *testing.T) {
	c := startClient(t)
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir: "testdata/baremetal", UpdateScripts: os.Getenv("INGOT_TEST_UPDATE") != "", RequireUniqueNames: true,
			Setup: func(env *testscript.Env) error {
				tb, _ := env.T().(testing.TB)
				s := start(tb)
				image := s.image(tb)
				env.Setenv("ENDPOINT", s.URL)
				env.Setenv("IMAGE", image["image_source"].(string))
				env.Setenv("CHECKSUM", image["image_checksum"].(string))
				return nil
			},
			Cmds: map[string]func(*testscript.TestScript, bool, []string){"baremetal": c.run, "capture": capture, "until": c.until},
		})
	})
	for _, command := range c.commands(t) {
		require.True(t, c.used[command], "no script uses `baremetal %s`", command)
	}
}

// startClient starts the client, or skips the test where it is not installed.
func startClient(t *testing.T) *commandLine {
	t.Helper()
	if err := exec.CommandContext(t.Context(), python, "-c", "import ironicclient").Run(); err != nil {
		t.Skip("needs Debian's package python3-ironicclient")
	}
	cmd := exec.CommandContext(t.Context(), python, "../../api/testdata/baremetal.py")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "COLUMNS=200") // it remembers the versions of servers
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	c := &commandLine{in: in, out: bufio.NewScanner(out), used: map[string]bool{}}
	c.out.Buffer(nil, 1<<24)
	return c
}

// said is what a command printed.
type said struct {
	Code     any
	Out, Err string
}

func (c *commandLine) ask(endpoint string, args ...string) (s said, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line, err := json.Marshal(append([]string{"--os-auth-type", "none", "--os-endpoint", endpoint}, args...))
	if err != nil {
		return s, err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return s, err
	}
	if !c.out.Scan() {
		return s, io.ErrUnexpectedEOF
	}
	for i := range args {
		c.used[strings.Join(args[:i+1], " ")] = true
	}
	return s, json.Unmarshal(c.out.Bytes(), &s)
}

// run is the scripts' command.
func (c *commandLine) run(ts *testscript.TestScript, neg bool, args []string) {
	for i, arg := range args {
		if name, ok := strings.CutPrefix(arg, "@"); ok {
			args[i] = filepath.Join(ts.Getenv("WORK"), name) // the client runs in another folder
		}
	}
	s, err := c.ask(ts.Getenv("ENDPOINT"), args...)
	ts.Check(err)
	_, _ = io.WriteString(ts.Stdout(), s.Out)
	_, _ = io.WriteString(ts.Stderr(), s.Err)
	if ok := s.Code == 0.0; ok == neg {
		ts.Fatalf("baremetal %s: code %v: %s", strings.Join(args, " "), s.Code, s.Err)
	}
}

// until is "until TEXT COMMAND...": the client is asked again and again until it prints the text. Ironic answers before
// some work is done.
func (c *commandLine) until(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patience); ; {
		s, err := c.ask(ts.Getenv("ENDPOINT"), args[1:]...)
		ts.Check(err)
		if strings.TrimSpace(s.Out) == args[0] {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("baremetal %s: never %q: %s%s", strings.Join(args[1:], " "), args[0], s.Out, s.Err)
		}
	}
}

// capture is "capture NAME": what was printed last becomes a variable.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// commands are all that the client has, out of its own help.
func (c *commandLine) commands(t *testing.T) []string {
	t.Helper()
	s, err := c.ask("", "--help")
	require.NoError(t, err)
	_, text, ok := strings.Cut(s.Out, "\nCommands:\n")
	require.True(t, ok, s.Out)
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		command, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if command != "" && command != "help" && command != "complete" {
			found = append(found, command)
		}
	}
	require.Greater(t, len(found), 90)
	return found
}
