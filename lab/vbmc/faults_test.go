package vbmc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

func TestIPMIFaults(t *testing.T) {
	b := start(t, nil)
	quick := func(args ...string) (string, error) {
		return b.tryIpmitool(t, testUser, testPassword, append([]string{"-N", "1", "-R", "5"}, args...)...)
	}
	t.Run("busy", func(t *testing.T) {
		b.Faults.Set(vbmc.Misbehaviour{Busy: -1})
		if out, err := quick("chassis", "power", "on"); err == nil || !strings.Contains(out, "Node busy") {
			t.Errorf("power on of a busy BMC: %v\n%s", err, out)
		}
	})
	t.Run("no sessions", func(t *testing.T) {
		b.Faults.Set(vbmc.Misbehaviour{NoSessions: true})
		if out, err := quick("chassis", "power", "on"); err == nil || !strings.Contains(out, "insufficient resources") {
			t.Errorf("power on of a BMC without sessions: %v\n%s", err, out)
		}
	})
	t.Run("deaf", func(t *testing.T) {
		b.Faults.Set(vbmc.Misbehaviour{Deaf: true})
		if out, err := b.tryIpmitool(t, testUser, testPassword, "-N", "1", "-R", "1", "chassis", "power", "on"); err == nil {
			t.Errorf("power on of a deaf BMC succeeded:\n%s", out)
		}
	})
	b.machine.mu.Lock()
	if len(b.machine.boots) != 0 {
		t.Error("a BMC that refused everything started the machine")
	}
	b.machine.mu.Unlock()
	t.Run("lost reply", func(t *testing.T) {
		b.Faults.Set(vbmc.Misbehaviour{LoseReplies: 1})
		if out, err := quick("chassis", "power", "on"); err != nil {
			t.Errorf("power on with a lost reply: %v\n%s", err, out)
		}
		wantJournal(t, b.log, vbmc.ProtocolMachine, `start "none"`)
		var seen []string
		for _, e := range b.log.Find(vbmc.ProtocolIPMI, vbmc.VerbPower) {
			if e.ReplyLost {
				e.Outcome += " lost"
			}
			seen = append(seen, e.Outcome)
		}
		if got := strings.Join(seen, ","); !strings.HasPrefix(got, "ok lost,unchanged") {
			t.Errorf("outcomes of power on: %s", got)
		}
	})
	t.Run("every fourth packet lost", func(t *testing.T) {
		b.Faults.Set(vbmc.Misbehaviour{DropEvery: 4})
		if out, err := quick("chassis", "power", "status"); err != nil {
			t.Errorf("power status with lost packets: %v\n%s", err, out)
		}
	})
	t.Run("slow", func(t *testing.T) {
		const delay = 50 * time.Millisecond
		b.Faults.Set(vbmc.Misbehaviour{Delay: delay})
		began := time.Now()
		if out, err := quick("chassis", "power", "status"); err != nil || time.Since(began) < 3*delay {
			t.Errorf("power status of a slow BMC: %v after %s\n%s", err, time.Since(began), out)
		}
	})
	b.Faults.Set(vbmc.Misbehaviour{})
	wantText(t, b.ipmitool(t, "chassis", "power", "status"), "is on")
}

func TestRedfishFaults(t *testing.T) {
	b := start(t, nil)
	on := func() (*http.Response, error) {
		return send(t, b, http.MethodPost, resetPath, `{"ResetType":"On"}`, nil)
	}
	b.Faults.Set(vbmc.Misbehaviour{Busy: 1})
	if answer, err := on(); err != nil || answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("power on of a busy BMC: %v, %v", answer, err)
	}
	b.Faults.Set(vbmc.Misbehaviour{NoSessions: true})
	answer, err := send(t, b, http.MethodPost, loginPath, `{"UserName":"`+testUser+`","Password":"`+testPassword+`"}`, nil)
	if err != nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("login without free sessions: %v, %v", answer, err)
	}
	b.Faults.Set(vbmc.Misbehaviour{DropEvery: 1})
	if answer, err := on(); err == nil {
		t.Errorf("a connection that should break answered %v", answer)
	}
	b.Faults.Set(vbmc.Misbehaviour{Deaf: true})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = send(t, b, http.MethodGet, systemPath, "", func(r *http.Request) { *r = *r.WithContext(ctx) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deaf BMC: %v", err)
	}
	wantJournal(t, b.log, vbmc.ProtocolMachine)
	b.Faults.Set(vbmc.Misbehaviour{LoseReplies: 1})
	if answer, err := on(); err == nil {
		t.Errorf("a reply that should be lost: %v", answer)
	}
	wantJournal(t, b.log, vbmc.ProtocolMachine, `start "none"`)
	if answer, err := on(); err != nil || answer.StatusCode != http.StatusNoContent {
		t.Errorf("power on again: %v, %v", answer, err)
	}
	if left := b.Faults.Get(); left != (vbmc.Misbehaviour{}) {
		t.Errorf("faults left: %+v", left)
	}
}

func TestStopDuringCommand(t *testing.T) {
	m := &machine{stuck: make(chan struct{})}
	log := &vbmc.Log{}
	server := &vbmc.Server{Machine: m, IPMIListen: "127.0.0.1:0", Username: testUser, Password: testPassword, Journal: log}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	c, err := goIPMI(t, bmcUnderTest{server, m, log}, types.CipherSuiteID17, testPassword)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		// No answer comes: the BMC goes away.
		_, _ = c.WithTimeout(time.Second).ChassisControl(t.Context(), 1)
	}()
	<-m.stuck
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if e := log.Find(vbmc.ProtocolIPMI, vbmc.VerbPower); len(e) != 1 || !strings.Contains(e[0].Outcome, "context canceled") {
		t.Errorf("when Run has returned the journal has %v", e)
	}
	<-asked
}

// tampering changes the last byte of packets that belong to a session: its
// authentication code.
type tampering struct{ net.PacketConn }

func (c tampering) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(p)
	if n > 16 && p[4] == 0x06 && [4]byte(p[6:10]) != [4]byte{} {
		p[n-1] ^= 1
	}
	return n, from, err
}

func TestTamperedPacketsAreIgnored(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, func(s *vbmc.Server) { s.IPMIConn = tampering{conn} })
	if out, err := b.tryIpmitool(t, testUser, testPassword, "-N", "1", "-R", "1", "chassis", "power", "on"); err == nil {
		t.Errorf("a packet with a wrong authentication code was obeyed:\n%s", out)
	}
	wantJournal(t, b.log, vbmc.ProtocolMachine)
	if len(b.log.Find(vbmc.ProtocolIPMI, vbmc.VerbLogin)) == 0 {
		t.Error("there was no login, so nothing was tried")
	}
}

func TestIpmitoolConsole(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("script is not installed (ipmitool's console wants a terminal): apt-get install bsdutils")
	}
	if _, err := exec.LookPath("ipmitool"); err != nil {
		t.Skip("ipmitool is not installed: apt-get install ipmitool")
	}
	b := start(t, nil)
	ours, theirs := net.Pipe()
	b.machine.mu.Lock()
	b.machine.serial = theirs
	b.machine.mu.Unlock()
	host, port, err := net.SplitHostPort(b.IPMIAddr())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "script", "-qec", "ipmitool -I lanplus -H "+host+" -p "+port+
		" -U "+testUser+" -P "+testPassword+" sol activate", "/dev/null")
	keyboard, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	screen, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	read := func(from io.Reader, want string) {
		t.Helper()
		var got strings.Builder
		for chunk := make([]byte, 256); !strings.Contains(got.String(), want); {
			n, err := from.Read(chunk)
			got.Write(chunk[:n])
			if err != nil {
				t.Fatalf("waiting for %q after %q: %v", want, got.String(), err)
			}
		}
	}
	write := func(to io.Writer, text string) {
		t.Helper()
		if _, err := io.WriteString(to, text); err != nil {
			t.Fatal(err)
		}
	}
	read(screen, "SOL Session operational")
	write(ours, "login: ")
	read(screen, "login: ")
	write(keyboard, "root\r")
	read(ours, "root\r")
	write(keyboard, "\r~.")
	read(ours, "\r")
	read(screen, "terminated ipmitool")
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the console was left open: %v", err)
	}
}
