package vbmc_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

func TestIpmitoolPower(t *testing.T) {
	for _, suite := range []string{"default", "3", "17"} {
		t.Run("cipher suite "+suite, func(t *testing.T) {
			b := start(t, nil)
			var options []string
			if suite != "default" {
				options = []string{"-C", suite}
			}
			power := func(args ...string) string {
				return b.ipmitool(t, append(append(options, "chassis", "power"), args...)...)
			}
			wantText(t, power("status"), "Chassis Power is off")
			power("on")
			wantText(t, power("status"), "Chassis Power is on")
			power("on")
			power("soft")
			wantText(t, power("status"), "Chassis Power is off")
			power("on")
			power("cycle")
			power("reset")
			power("diag")
			power("off")
			wantText(t, power("status"), "Chassis Power is off")
			wantJournal(t, b.log, vbmc.ProtocolMachine,
				`start "none"`, `shutdown ""`, `start "none"`, `stop ""`, `start "none"`, `reset "none"`, `nmi ""`, `stop ""`)
			b.machine.mu.Lock()
			defer b.machine.mu.Unlock()
			if b.machine.nmis != 1 {
				t.Errorf("the machine got %d NMIs, want 1", b.machine.nmis)
			}
			power2 := b.log.Find(vbmc.ProtocolIPMI, vbmc.VerbPower)
			if len(power2) != 8 || power2[0].Outcome != vbmc.OutcomeOK || power2[1].Outcome != vbmc.OutcomeUnchanged {
				t.Errorf("journal of power commands: %v", power2)
			}
			if power2[0].User != testUser || !strings.HasPrefix(power2[0].Remote, "127.0.0.1:") || power2[0].Time.IsZero() {
				t.Errorf("journal entry lacks user, remote or time: %+v", power2[0])
			}
		})
	}
}

func TestIpmitoolPowerRefused(t *testing.T) {
	b := start(t, nil)
	for _, action := range []string{"reset", "cycle", "diag"} {
		out, err := b.tryIpmitool(t, testUser, testPassword, "chassis", "power", action)
		if err == nil || !strings.Contains(out, "not supported in present state") {
			t.Errorf("power %s of a machine that is off: %v\n%s", action, err, out)
		}
	}
	b.machine.breakDown(errors.New("no mains"))
	if out, err := b.tryIpmitool(t, testUser, testPassword, "chassis", "power", "on"); err == nil {
		t.Errorf("power on of a broken machine succeeded:\n%s", out)
	}
	last := b.log.Find(vbmc.ProtocolIPMI, vbmc.VerbPower)
	if outcome := last[len(last)-1].Outcome; !strings.Contains(outcome, "no mains") {
		t.Errorf("outcome %q does not name the machine's error", outcome)
	}
}

func TestIpmitoolBootFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		want vbmc.Boot
		show []string
	}{
		{[]string{"pxe"}, vbmc.Boot{Device: vbmc.BootPXE}, []string{"Force PXE", "Options apply to only next boot", "PC Compatible"}},
		{[]string{"disk", "options=persistent"}, vbmc.Boot{Device: vbmc.BootDisk, Persistent: true}, []string{"Force Boot from default Hard-Drive", "all future boots"}},
		{[]string{"pxe", "options=efiboot,persistent"}, vbmc.Boot{Device: vbmc.BootPXE, Persistent: true, EFI: true}, []string{"Force PXE", "all future boots", "EFI"}},
		{[]string{"cdrom", "options=efiboot"}, vbmc.Boot{Device: vbmc.BootCDROM, EFI: true}, []string{"Force Boot from CD/DVD", "only next boot", "EFI"}},
		{[]string{"bios"}, vbmc.Boot{Device: vbmc.BootBIOS}, []string{"Force Boot into BIOS Setup"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			b := start(t, nil)
			b.ipmitool(t, append([]string{"chassis", "bootdev"}, c.args...)...)
			shown := b.ipmitool(t, "chassis", "bootparam", "get", "5")
			wantText(t, shown, append(c.show, "Boot Flag Valid")...)
			if b.Boot() != c.want {
				t.Fatalf("the override is %v, want %v", b.Boot(), c.want)
			}
			b.ipmitool(t, "chassis", "power", "on")
			if got := b.machine.lastBoot(t); got != c.want {
				t.Fatalf("the machine was told to boot %v, want %v", got, c.want)
			}
			b.ipmitool(t, "chassis", "power", "reset")
			second := vbmc.Boot{}
			valid := "Boot Flag Invalid"
			if c.want.Persistent {
				second, valid = c.want, "Boot Flag Valid"
			}
			if got := b.machine.lastBoot(t); got != second {
				t.Fatalf("the second boot was %v, want %v", got, second)
			}
			wantText(t, b.ipmitool(t, "chassis", "bootparam", "get", "5"), valid)
		})
	}
}

func TestIpmitoolBootNone(t *testing.T) {
	b := start(t, nil)
	b.ipmitool(t, "chassis", "bootdev", "pxe", "options=persistent")
	b.ipmitool(t, "chassis", "bootdev", "none")
	if b.Boot().Set() {
		t.Errorf("the override is still %v", b.Boot())
	}
	// ipmitool exits with 0 here all the same.
	wantText(t, b.ipmitool(t, "chassis", "bootdev", "floppy"), "Invalid data field in request")
}

func TestIpmitoolFailedStartKeepsBoot(t *testing.T) {
	b := start(t, nil)
	b.ipmitool(t, "chassis", "bootdev", "pxe")
	b.machine.mu.Lock()
	b.machine.refuse = errors.New("no disk space")
	b.machine.mu.Unlock()
	if out, err := b.tryIpmitool(t, testUser, testPassword, "chassis", "power", "on"); err == nil {
		t.Fatalf("power on of a broken machine succeeded:\n%s", out)
	}
	if b.Boot().Device != vbmc.BootPXE {
		t.Errorf("the one-time boot was used up by a start that failed")
	}
}

func TestIpmitoolInformation(t *testing.T) {
	b := start(t, nil)
	wantText(t, b.ipmitool(t, "mc", "info"), "IPMI Version              : 2.0", "Chassis Device", "SEL Device", "Sensor Device")
	wantText(t, b.ipmitool(t, "mc", "guid"), "4c4c4544-0051-3510-8052-b4c04f4b4d31")
	wantText(t, b.ipmitool(t, "fru"), "Acme", "Anvil", "A-1")
	wantText(t, b.ipmitool(t, "chassis", "status"), "System Power         : off", "Power Restore Policy : always-off")
	wantText(t, b.ipmitool(t, "chassis", "restart_cause"), "unknown")
	b.ipmitool(t, "power", "on")
	wantText(t, b.ipmitool(t, "chassis", "restart_cause"), "chassis power control command")
	wantText(t, b.ipmitool(t, "user", "list", "1"), testUser, "ADMINISTRATOR")
	b.ipmitool(t, "mc", "reset", "cold")
	if on, _ := b.machine.Power(t.Context()); !on {
		t.Error("a reset of the BMC switched the machine off")
	}
}

func TestIpmitoolSensors(t *testing.T) {
	b := start(t, nil)
	wantText(t, b.ipmitool(t, "sdr"), "Inlet Temp", "23 degrees C", "Fan 1", "no reading")
	b.ipmitool(t, "power", "on")
	wantText(t, b.ipmitool(t, "sdr", "elist"), "41 degrees C", "4200 RPM", "12.06 Volts", "148 Watts")
	wantText(t, b.ipmitool(t, "sensor", "get", "12V"), "Sensor Reading        : 12.060", "Lower Critical        : 10.800", "Upper Critical        : 13.200")
}

func TestIpmitoolSEL(t *testing.T) {
	b := start(t, nil)
	wantText(t, b.ipmitool(t, "sel", "info"), "Entries          : 0")
	b.ipmitool(t, "event", "1")
	events := filepath.Join(t.TempDir(), "events")
	if err := os.WriteFile(events, []byte("0x04 0x02 0x30 0x01 0x57 0x01 0x02 # voltage\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.ipmitool(t, "sel", "add", events)
	wantText(t, b.ipmitool(t, "sel", "info"), "Entries          : 2")
	wantText(t, b.ipmitool(t, "sel", "list"), "Temperature #0x30", "Voltage #0x30", time.Now().Format("01/02/"))
	b.ipmitool(t, "sel", "delete", "1")
	wantText(t, b.ipmitool(t, "sel", "info"), "Entries          : 1")
	b.ipmitool(t, "sel", "clear")
	wantText(t, b.ipmitool(t, "sel", "info"), "Entries          : 0")
	if n := len(b.log.Find(vbmc.ProtocolIPMI, vbmc.VerbSELClear)); n != 1 {
		t.Errorf("the journal has %d clearings of the SEL, want 1", n)
	}
}

func wantText(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// wantJournal compares one protocol's entries, each as `verb "argument"`.
func wantJournal(t *testing.T, log *vbmc.Log, protocol string, want ...string) {
	t.Helper()
	var got []string
	for _, e := range log.Entries() {
		if e.Protocol == protocol {
			got = append(got, strings.TrimPrefix(strings.TrimSuffix(e.String(), ": "+e.Outcome), protocol+" "))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("journal of %s:\n%s\nwant:\n%s", protocol, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
