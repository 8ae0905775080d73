// Command init is process 1 of the ramdisk tests: it loads drivers for what it finds, tells the console what came of it,
// and powers off.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

func main() {
	if err := inspect(); err != nil {
		fmt.Println("test: error:", err)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

func inspect() error {
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/run"}} {
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	report("start", uptime())
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	dir := "/lib/modules/" + unix.ByteSliceToString(name.Release[:])
	index, err := modules.Open(os.DirFS(dir))
	if err != nil {
		return err
	}
	events, err := modules.ListenUevents()
	if err != nil {
		return err
	}
	report("index", uptime())
	l := modules.Loader{Index: index, Insert: modules.Kernel(dir)}
	r, err := l.Settle(context.Background(), os.DirFS("/sys"), events, time.Second)
	if err != nil {
		return err
	}
	report("settled", fmt.Sprint(r.Settled), uptime())
	report("loaded", strings.Join(r.Loaded, " "))
	for name, err := range r.Failed {
		report("failed", name, err.Error())
	}
	for _, name := range []string{"vfat", "isofs", "ext4", "efivarfs"} {
		if err := l.Load(name); err != nil {
			report("failed", name, err.Error())
		}
	}
	filesystems, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return err
	}
	report("filesystems", strings.Join(strings.Fields(strings.ReplaceAll(string(filesystems), "nodev", "")), " "))
	drivers("nic", "/sys/class/net/*", "device/driver")
	drivers("disk", "/sys/block/*", "device/driver")
	drivers("disk", "/sys/block/nvme*", "device/device/driver")
	ipmi, _ := filepath.Glob("/dev/ipmi*")
	report("ipmi", strings.Join(ipmi, " "))
	return nil
}

// drivers prints the name of each device and that of its driver; devices without a driver of their own are virtual.
func drivers(kind, glob, link string) {
	list, _ := filepath.Glob(glob)
	for _, dev := range list {
		if driver, err := os.Readlink(filepath.Join(dev, link)); err == nil {
			report(kind, filepath.Base(dev), filepath.Base(driver))
		}
	}
}

func report(words ...string) { fmt.Println("test: " + strings.Join(words, " ")) }

func uptime() string {
	text, _ := os.ReadFile("/proc/uptime")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
