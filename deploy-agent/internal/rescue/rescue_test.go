package rescue_test

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/conductor/shacrypt"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/rescue"
)

func engine(open func(string) error) *command.Engine {
	e := &command.Engine{Log: slog.New(slog.DiscardHandler)}
	r := &rescue.Rescue{Open: open, Seal: e.Seal}
	e.Add(r.Commands()...)
	return e
}

func TestFinalizeRescue(t *testing.T) {
	var opened string
	e := engine(func(hash string) error { opened = hash; return nil })
	hash := shacrypt.Hash("hunter2")
	for _, params := range []command.Params{
		{"rescue_password": quoted("")}, {"rescue_password": quoted("$1$old$hash"), "hashed": json.RawMessage("true")}, {"rescue_password": json.RawMessage("5")},
	} {
		_, err := e.Execute(t.Context(), "rescue.finalize_rescue", params)
		require.Error(t, err)
	}
	require.Empty(t, opened)
	record, err := e.Execute(t.Context(), "rescue.finalize_rescue", command.Params{"rescue_password": quoted(hash), "hashed": json.RawMessage("true")})
	require.NoError(t, err)
	require.Nil(t, record.Command().Error)
	require.Equal(t, hash, opened)
	require.NotContains(t, record.Command().Params["rescue_password"], "$5$", "not listed")
	_, err = e.Execute(t.Context(), "rescue.finalize_rescue", command.Params{"rescue_password": quoted("x")})
	require.ErrorContains(t, err, "in rescue", "nothing more is taken")
}

func TestPlainPasswordOfOldConductors(t *testing.T) {
	var opened string
	_, err := engine(func(hash string) error { opened = hash; return nil }).Execute(t.Context(), "rescue.finalize_rescue", command.Params{"rescue_password": quoted("hunter2")})
	require.NoError(t, err)
	require.True(t, shacrypt.Verify(opened, "hunter2"))
}

func TestRefusedWithoutAShell(t *testing.T) {
	record, err := engine(func(string) error { return rescue.ErrNoShell }).Execute(t.Context(), "rescue.finalize_rescue", command.Params{"rescue_password": quoted("x")})
	require.NoError(t, err)
	require.Contains(t, record.Command().Error.Details, "has no shell to log in to")
}

func quoted(text string) json.RawMessage {
	data, _ := json.Marshal(text)
	return data
}

// TestLogin logs in over a pseudo-terminal, as somebody at the machine's console would.
func TestLogin(t *testing.T) {
	user, machine := terminals(t)
	entered := make(chan struct{})
	pauses := make(chan time.Duration, 10)
	console := &rescue.Console{
		Terminal: machine, Pause: func(d time.Duration) { pauses <- d },
		Shell: func(*os.File) error { close(entered); return nil },
	}
	ended := make(chan error, 1)
	go func() { ended <- console.Serve(shacrypt.Hash("hunter2")) }()
	said := bufio.NewReader(user)
	var all strings.Builder
	expect := func(text string) {
		t.Helper()
		for !strings.HasSuffix(all.String(), text) {
			b, err := said.ReadByte()
			require.NoError(t, err, "waiting for %q after %q", text, all.String())
			all.WriteByte(b)
		}
	}
	try := func(name, password string) {
		expect("login: ")
		_, err := user.WriteString(name + "\n")
		require.NoError(t, err)
		expect("Password: ")
		_, err = user.WriteString(password + "\n")
		require.NoError(t, err)
	}
	try("rescue", "guess")
	expect("Login incorrect\r\n")
	try("nobody", "hunter2")
	expect("Login incorrect\r\n")
	try("rescue", "hunter2")
	<-entered
	expect("login: ")
	require.Len(t, pauses, 2)
	require.NotContains(t, all.String(), "hunter2", "passwords are not shown")
	require.NoError(t, user.Close())
	require.Error(t, <-ended)
}

// terminals is a pseudo-terminal: the user's side and the machine's.
func terminals(t *testing.T) (user, machine *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	machine, err = os.OpenFile("/dev/pts/"+itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { machine.Close(); user.Close() })
	return user, machine
}

func itoa(n int) string {
	text, _ := json.Marshal(n)
	return string(text)
}
