// Package system is the operating system under the agent: what process 1 has to set up, and how the machine goes down.
package system

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"time"

	ingot "github.com/ingot-metal/ingot"
	"golang.org/x/sys/unix"
)

// The ways in which the machine goes down, as causes of the agent's end.
var (
	ErrPowerOff = errors.New("power off was asked for")
	ErrReboot   = errors.New("a reboot was asked for")
)

// mount is one of the file systems that every Linux program expects.
type mount struct {
	source, at, kind string
	flags            uintptr
	data             string
}

func mounts() []mount {
	const safe = unix.MS_NOSUID | unix.MS_NOEXEC | unix.MS_NODEV
	return []mount{
		{"proc", "/proc", "proc", safe, ""},
		{"sysfs", "/sys", "sysfs", safe, ""},
		{"devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "mode=0755"},
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755,size=16m"},
		{"tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777,size=64m"},
	}
}

// Mount mounts what process 1 needs. One that fails is told, and the others are mounted all the same.
func Mount() error {
	var failures []error
	for _, m := range mounts() {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			failures = append(failures, fmt.Errorf("cannot make %s: %w", m.at, err))
		}
		err := unix.Mount(m.source, m.at, m.kind, m.flags, m.data)
		if err != nil && !errors.Is(err, unix.EBUSY) { // the kernel mounts /dev itself where CONFIG_DEVTMPFS_MOUNT is set
			failures = append(failures, fmt.Errorf("cannot mount %s: %w", m.at, err))
		}
	}
	for _, dir := range []string{"/etc", "/root", "/var/log"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			failures = append(failures, fmt.Errorf("cannot make %s: %w", dir, err))
		}
	}
	return errors.Join(failures...)
}

// efivars is where UEFI's variables are.
const efivars = "/sys/firmware/efi/efivars"

// MountEFI mounts efivarfs on a machine that was started by UEFI. Its module has to be loaded.
func MountEFI() error {
	if _, err := os.Stat(efivars); err != nil {
		return nil // BIOS, or a kernel without the service
	}
	err := unix.Mount("efivarfs", efivars, "efivarfs", unix.MS_NOSUID|unix.MS_NOEXEC|unix.MS_NODEV, "")
	if err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("cannot mount efivarfs (is its module in the ramdisk?): %w", err)
	}
	return nil
}

// Seed waits until the kernel has random numbers. A blocking request makes it gather them from the jitter of its own
// timers, about a second's work, where the processor and the machine offer none (seen on QEMU's qemu64 without
// virtio-rng); libraries that only ask again and again without blocking, as the DHCP client's, would wait for ever.
func Seed() error {
	if _, err := rand.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("cannot get random numbers: %w", err)
	}
	return nil
}

// Console opens what the kernel's console= means.
func Console() (*os.File, error) { return os.OpenFile("/dev/console", os.O_RDWR, 0) }

// Reap waits for orphaned processes until ctx ends: they become children of process 1, which starts none itself.
func Reap(ctx context.Context) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCHLD)
	defer signal.Stop(signals)
	for {
		select {
		case <-signals:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for range 1000 {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if pid <= 0 || err != nil && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
}

// SetClock sets the machine's clock.
func SetClock(t time.Time) error {
	tv := unix.NsecToTimeval(t.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		return fmt.Errorf("cannot set the clock: %w", err)
	}
	return nil
}

// KernelLog is the kernel's ring buffer (dmesg).
func KernelLog() ([]byte, error) {
	const readAll, sizeBuffer = 3, 10 // SYSLOG_ACTION_READ_ALL, SYSLOG_ACTION_SIZE_BUFFER
	n, err := unix.Klogctl(sizeBuffer, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot read the kernel's log: %w", err)
	}
	buf := make([]byte, min(max(n, 0), 1<<20))
	if n, err = unix.Klogctl(readAll, buf); err != nil {
		return nil, fmt.Errorf("cannot read the kernel's log: %w", err)
	}
	return buf[:n], nil
}

// Arch is uname's machine: x86_64, aarch64.
func Arch() string { return unix.ByteSliceToString(uname().Machine[:]) }

// Release is the kernel's release, which names its folder of modules.
func Release() string { return unix.ByteSliceToString(uname().Release[:]) }

func uname() *unix.Utsname {
	var u unix.Utsname
	_ = unix.Uname(&u) // fails only for a bad pointer
	return &u
}

// Sync flushes the page cache, and the caches of the disks themselves.
func Sync(disks []ingot.InventoryDisk) error {
	unix.Sync()
	var failures []error
	for _, d := range disks {
		if err := flush(d.Name); err != nil && !d.ReadOnly {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func flush(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("cannot open a disk to flush it: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cannot flush %s: %w", name, err)
	}
	return nil
}

// Down flushes everything and ends the machine: off for ErrPowerOff, else by a reboot. It returns only if the kernel
// refuses.
func Down(cause error, log *slog.Logger) {
	unix.Sync()
	verb := unix.LINUX_REBOOT_CMD_RESTART
	if errors.Is(cause, ErrPowerOff) {
		verb = unix.LINUX_REBOOT_CMD_POWER_OFF
	}
	log.Info("going down", "cause", cause)
	if err := unix.Reboot(verb); err != nil {
		log.Error("the kernel refuses to go down; asking by sysrq", "error", err)
		key := "b"
		if errors.Is(cause, ErrPowerOff) {
			key = "o"
		}
		if err := os.WriteFile("/proc/sysrq-trigger", []byte(key), 0); err != nil {
			log.Error("sysrq refuses as well", "error", err)
		}
	}
}

// Line is the kernel's command line.
func Line() string {
	b, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
