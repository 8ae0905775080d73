package ipmi

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/ingot-metal/ingot"
)

// chassisStatus is Get Chassis Status: the smallest thing that needs a session.
var chassisStatus = [...]byte{0x00, 0x01}

// raw runs "ipmitool raw" with these bytes and gives the answer's. Verbose: only then it says why a login failed.
func (t *tool) raw(ctx context.Context, request ...byte) ([]byte, error) {
	arguments := []string{
		"-v", "-I", "lanplus", "-H", t.set.host, "-p", strconv.Itoa(t.set.port), "-U", t.set.username, "-E",
		"-N", "1", "-R", strconv.Itoa(t.opt.Attempts), "-C", strconv.Itoa(int(t.suite)), "raw",
	}
	for _, b := range request {
		arguments = append(arguments, fmt.Sprintf("%#02x", b))
	}
	if err := ingot.PermitOf(ctx)(); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, t.path, arguments...)
	command.Env = []string{"IPMITOOL_PASSWORD=" + t.set.password.Reveal()} // not among the arguments, which all users see
	var answer, words bytes.Buffer
	command.Stdout, command.Stderr = &answer, &words
	// It must not go on talking when this process is killed: the BMC's lease is then given to another. The kernel goes by
	// the end of the thread that started it (prctl(2), PR_SET_PDEATHSIG).
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &toolFailure{words: words.String(), err: err}
	}
	return rawBytes(answer.String())
}

// rawBytes reads the bytes that "ipmitool raw" prints: two hexadecimal digits each, over several lines.
func rawBytes(said string) ([]byte, error) {
	answer, err := hex.DecodeString(strings.Join(strings.Fields(said), ""))
	if err != nil {
		return nil, fmt.Errorf("cannot read ipmitool's answer %q: %w", said, err)
	}
	return answer, nil
}

// toolFailure is a run of ipmitool that failed, with what it said.
type toolFailure struct {
	words string
	err   error
}

// noise are lines that verbose runs print in any case.
var noise = [...]string{"Loading IANA PEN Registry", "Running Get VSO Capabilities", "Discovered IPMB address", "RAW REQ", "RAW RSP", "Invalid completion code received: Invalid command"}

// Error is ipmitool's words in one line.
func (f *toolFailure) Error() string {
	var kept []string
	for line := range strings.Lines(f.words) {
		line = strings.TrimSpace(line)
		loud := line != ""
		for _, n := range noise {
			loud = loud && !strings.HasPrefix(line, n)
		}
		if loud {
			kept = append(kept, line)
		}
	}
	return fmt.Sprintf("%s (%v)", strings.Join(kept, "; "), f.err)
}

func (f *toolFailure) Unwrap() error { return f.err }

// refusesSuite says whether the BMC turned the cipher suite down, or did not answer a login with it.
func (f *toolFailure) refusesSuite() bool {
	return strings.Contains(f.words, "Error in open session response message") || strings.Contains(f.words, "Unsupported cipher suite ID")
}

// answered says whether the BMC answered the command, with a completion code.
func (f *toolFailure) answered() bool { return strings.Contains(f.words, "rsp=0x") }

// toolWords are what ipmitool 1.8.19 prints, and what it means.
var toolWords = [...]struct {
	words string
	code  ingot.Code
}{
	{"HMAC is invalid", ingot.Unauthorized},
	{"unauthorized name", ingot.Unauthorized},
	{"invalid integrity check value", ingot.Unauthorized},
	{"Insufficient privilege level", ingot.Forbidden},
	{"unauthorized role", ingot.Forbidden},
	{"no matching cipher suite", ingot.Unsupported},
	{"invalid authentication algorithm", ingot.Unsupported},
	{"Unsupported cipher suite ID", ingot.Unsupported},
	{": Invalid command", ingot.Unsupported},
	{"Parameter out of range", ingot.Unsupported},
	{"Invalid data field in request", ingot.Unsupported},
	{"Address lookup for", ingot.Invalid},
}

// toolError gives a failure of ipmitool its code, unless it has one.
func toolError(address, user string, err error) error {
	var own *ingot.Error
	if errors.As(err, &own) {
		return own
	}
	code := ingot.Unavailable
	for _, w := range toolWords {
		if strings.Contains(err.Error(), w.words) {
			code = w.code
			break
		}
	}
	var said *toolFailure
	refused := errors.As(err, &said) && said.answered() || code == ingot.Unsupported || code == ingot.Forbidden
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		err = errors.New(strings.Join(strings.Fields(err.Error()), " ")) // bmclib repeats ipmitool's lines
	}
	switch {
	case code == ingot.Unauthorized:
		return ingot.Errorf(code, "cannot log in to BMC %s as %q: wrong user name or password (ipmi_username, ipmi_password): %w", address, user, err)
	case refused:
		return ingot.Errorf(code, "cannot do as asked: BMC %s said to ipmitool: %w", address, err)
	}
	return ingot.Errorf(code, "cannot reach BMC %s by ipmitool: %w", address, err)
}
