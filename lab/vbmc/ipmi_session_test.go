package vbmc_test

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bougou/go-ipmi/pkg/client"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

func TestIpmitoolRefusesLogin(t *testing.T) {
	b := start(t, nil)
	for _, c := range []struct{ user, password string }{{testUser, "wrong"}, {"nobody", testPassword}, {"", ""}} {
		for _, suite := range []string{"3", "17"} {
			// Said about any BMC that has another password.
			out, err := b.tryIpmitool(t, c.user, c.password, "-v", "-C", suite, "chassis", "power", "status")
			if err == nil || !strings.Contains(out, "Unable to establish IPMI v2 / RMCP+ session") {
				t.Errorf("login as %q with %q and suite %s: %v\n%s", c.user, c.password, suite, err, out)
			}
		}
	}
	if starts, logins := b.log.Find(vbmc.ProtocolIPMI, vbmc.VerbLoginStart), b.log.Find(vbmc.ProtocolIPMI, vbmc.VerbLogin); len(starts) < 6 || len(logins) > 0 {
		t.Errorf("logins begun: %v, logins: %v", starts, logins)
	}
}

func TestGoIPMIClientRefusesLogin(t *testing.T) {
	b := start(t, nil)
	for _, suite := range []types.CipherSuiteID{types.CipherSuiteID3, types.CipherSuiteID17} {
		if _, err := goIPMI(t, b, suite, "wrong"); err == nil {
			t.Error("a wrong password was accepted")
		}
	}
}

func TestIpmitoolPrivileges(t *testing.T) {
	b := start(t, func(s *vbmc.Server) {
		s.Users = []vbmc.User{{Name: "operator", Password: "o", Privilege: vbmc.PrivilegeOperator}, {Name: "viewer", Password: "v", Privilege: vbmc.PrivilegeUser}}
	})
	try := func(user, password, level string, args ...string) error {
		out, err := b.tryIpmitool(t, user, password, append([]string{"-L", level}, args...)...)
		t.Logf("%s as %s: %v\n%s", args, user, err, out)
		return err
	}
	for _, c := range []struct {
		user, level, args string
		allowed           bool
	}{
		{"viewer", "USER", "chassis power status", true},
		{"viewer", "USER", "sdr", true},
		{"viewer", "USER", "chassis power on", false},
		{"viewer", "USER", "raw 0x00 0x08 0x05 0x80 0x04 0 0 0", false},
		{"viewer", "USER", "sel clear", false},
		{"viewer", "USER", "raw 0x06 0x3b 0x04", false}, // Set Session Privilege Level, to administrator
		{"viewer", "ADMINISTRATOR", "chassis power status", false},
		{"operator", "OPERATOR", "chassis power on", true},
		{"operator", "OPERATOR", "chassis bootdev pxe", true},
		{"operator", "OPERATOR", "raw 0x06 0x02", false},
	} {
		if err := try(c.user, c.user[:1], c.level, strings.Fields(c.args)...); (err == nil) != c.allowed {
			t.Errorf("%s as %s at level %s: %v, allowed should be %v", c.args, c.user, c.level, err, c.allowed)
		}
	}
	wantJournal(t, b.log, vbmc.ProtocolMachine, `start "none"`)
}

// goIPMI opens a session with the other Go client.
func goIPMI(t *testing.T, b bmcUnderTest, suite types.CipherSuiteID, password string) (*client.Client, error) {
	t.Helper()
	host, port, err := net.SplitHostPort(b.IPMIAddr())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.NewClient(host, number, testUser, password)
	if err != nil {
		t.Fatal(err)
	}
	return c, c.WithTimeout(5 * time.Second).WithCipherSuiteID(suite).Connect(t.Context())
}

func TestGoIPMIClient(t *testing.T) {
	for _, suite := range []types.CipherSuiteID{types.CipherSuiteID3, types.CipherSuiteID17} {
		b := start(t, nil)
		c, err := goIPMI(t, b, suite, testPassword)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if err := c.SetBootDevice(ctx, types.BootDeviceSelectorForcePXE, types.BIOSBootTypeEFI, true); err != nil {
			t.Error(err)
		}
		if got, want := b.Boot(), (vbmc.Boot{Device: vbmc.BootPXE, Persistent: true, EFI: true}); got != want {
			t.Errorf("the override is %v, want %v", got, want)
		}
		if _, err := c.ChassisControl(ctx, 1); err != nil {
			t.Error(err)
		}
		if status, err := c.GetChassisStatus(ctx); err != nil || !status.PowerIsOn {
			t.Errorf("chassis status: %+v, %v", status, err)
		}
		sensors, err := c.GetSensors(ctx)
		if err != nil || len(sensors) != 6 || sensors[2].Name != "Fan 1" || sensors[2].Value != 4200 {
			t.Errorf("sensors: %v, %v", sensors, err)
		}
		b.ipmitool(t, "event", "1")
		if entries, err := c.GetSELEntries(ctx, 0); err != nil || len(entries) != 1 {
			t.Errorf("SEL: %v, %v", entries, err)
		}
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

func TestIPMISessionSlots(t *testing.T) {
	b := start(t, func(s *vbmc.Server) { s.Sessions = 1 })
	first, err := goIPMI(t, b, types.CipherSuiteID17, testPassword)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := goIPMI(t, b, types.CipherSuiteID17, testPassword); err == nil || !strings.Contains(err.Error(), "nsufficient") {
		t.Errorf("a session more than there are: %v", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := goIPMI(t, b, types.CipherSuiteID17, testPassword)
	if err != nil {
		t.Fatalf("a session after one was closed: %v", err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// clock is a clock that stands still.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestBootTimeout(t *testing.T) {
	const minute = time.Minute
	for _, c := range []struct {
		name string
		keep bool
		wait time.Duration
		want bool
	}{{"in time", false, minute, true}, {"too late", false, minute + time.Second, false}, {"switched off", true, time.Hour, true}} {
		t.Run(c.name, func(t *testing.T) {
			watch := &clock{now: time.Now()}
			b := start(t, func(s *vbmc.Server) { s.BootTimeout, s.Now = minute, watch.Now })
			if c.keep {
				b.ipmitool(t, "raw", "0x00", "0x08", "0x03", "0x08")
			}
			b.ipmitool(t, "raw", "0x00", "0x08", "0x05", "0xc0", "0x04", "0", "0", "0")
			watch.advance(c.wait)
			b.ipmitool(t, "chassis", "power", "on")
			if got := b.machine.lastBoot(t).Set(); got != c.want {
				t.Errorf("the override was kept: %v, want %v", got, c.want)
			}
		})
	}
}
