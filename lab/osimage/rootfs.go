package osimage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// basePackages is space-separated. tiny-initramfs stands in for initramfs-tools: it mounts the root by UUID without a shell
// or udev, which saves several seconds of emulated boot and 14 MB that the boot loader would have to read.
// usr-is-merged keeps usrmerge out, and with it the whole of Perl.
const basePackages = "usr-is-merged tiny-initramfs systemd-sysv udev dbus openssh-server iproute2 netbase cloud-init sudo"

// computePackages are a compute host's. What guests' firmware and disks need is among them; dnsmasq is not: the rack's
// service has the addresses.
const computePackages = "libvirt-daemon-system qemu-system-x86 qemu-utils"

// leftOut are paths that dpkg does not unpack: nothing reads them during a test, and each megabyte is one more to download,
// write and check on an emulated machine. udev's hardware database only names devices.
func leftOut() []string {
	out := strings.Fields(`
		/usr/share/doc/* /usr/share/man/* /usr/share/info/* /usr/share/locale/* /usr/share/i18n/* /etc/update-motd.d/*
		/usr/share/bash-completion/* /usr/lib/udev/hwdb.d/* /lib/udev/hwdb.d/* /usr/lib/x86_64-linux-gnu/gconv/*`)
	for _, dir := range strings.Fields(`
		sound drivers/gpu drivers/media drivers/infiniband drivers/net/wireless drivers/net/ethernet/mellanox drivers/iio
		drivers/staging drivers/isdn drivers/bluetooth drivers/comedi drivers/target drivers/mtd drivers/hwmon drivers/nvdimm
		net/bluetooth net/wireless net/mac80211 net/sunrpc net/ceph net/sctp net/tipc net/smc net/rds net/dccp
		fs/btrfs fs/nfs fs/nfsd fs/smb fs/ceph fs/orangefs fs/lockd fs/ocfs2 fs/gfs2 fs/f2fs fs/jfs fs/ubifs fs/reiserfs`) {
		out = append(out, "/lib/modules/*/kernel/"+dir+"/*")
	}
	// The rules that udev reads at start are for other kinds of devices.
	for _, name := range strings.Fields(`
		60-autosuspend 60-drm 60-evdev 60-fido-id 60-infiniband 60-persistent-alsa 60-persistent-input
		60-persistent-storage-tape 60-persistent-v4l 60-sensor 60-serial 64-btrfs 66-azure-ephemeral 70-camera 70-joystick
		70-memory 70-mouse 70-touchpad 70-uaccess 71-seat 73-seat-late 75-net-description 75-probe_mtd 78-sound-card
		80-debian-compat 81-net-dhcp 85-hwclock 96-e2scrub`) {
		out = append(out, "/usr/lib/udev/rules.d/"+name+".rules", "/lib/udev/rules.d/"+name+".rules")
	}
	return out
}

// buildRoot makes the root file system in the folder root. Scratch files go to the folder work.
func buildRoot(ctx context.Context, o Options, work, root string) error {
	sources, err := writeSources(work)
	if err != nil {
		return err
	}
	dump, err := run(ctx, "apt-config", "dump")
	if err != nil {
		return err
	}
	aptConf := filepath.Join(work, "apt.conf")
	if err := os.WriteFile(aptConf, []byte(acquireOptions(dump)), 0o600); err != nil {
		return fmt.Errorf("cannot write apt options: %w", err)
	}
	laid := filepath.Join(work, "overlay.tar")
	if err := writeOverlay(laid, o); err != nil {
		return err
	}
	if _, err := run(ctx, "mmdebstrap", debstrapArgs(o, aptConf, laid, root, sources)...); err != nil {
		return err
	}
	return cleanRoot(root)
}

func debstrapArgs(o Options, aptConf, overlayTar, root string, sources []string) []string {
	kernel := "linux-image-cloud-amd64"
	if o.Kernel == KernelGeneric {
		kernel = "linux-image-amd64"
	}
	pkgs := append([]string{kernel}, strings.Fields(basePackages)...)
	pkgs = append(pkgs, o.Packages...)
	args := []string{
		"--quiet", "--mode=root", "--variant=minbase", "--architectures=amd64",
		"--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
		"--aptopt=" + aptConf,
		`--aptopt=APT::Install-Recommends "false"`,
		`--aptopt=Acquire::Languages "none"`,
		// The overlay is there first, so that the initramfs is made once and right; its files win over packages' own.
		"--dpkgopt=force-confold",
		"--essential-hook=tar-in " + overlayTar + " /",
		"--include=" + strings.Join(pkgs, ","),
	}
	for _, p := range leftOut() {
		args = append(args, "--dpkgopt=path-exclude="+p)
	}
	return append(append(args, Suite, root), sources...)
}

// writeSources returns the mirror arguments for mmdebstrap: files with the host's own sources, or none, which means
// Debian's public mirror.
func writeSources(work string) ([]string, error) {
	deb822, oneLine, err := hostSources("/etc/apt")
	if err != nil {
		return nil, err
	}
	var out []string
	for name, text := range map[string]string{"host.sources": deb822, "host.list": oneLine} {
		if text == "" {
			continue
		}
		file := filepath.Join(work, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("cannot write apt sources: %w", err)
		}
		out = append(out, file)
	}
	return out, nil
}

// cleanRoot removes what belongs to the building host or to one single machine: package sources, apt and dpkg options, the
// resolver's address, the machine ID and SSH host keys, which the first boot makes anew.
func cleanRoot(root string) error {
	gone := []string{
		"etc/apt/sources.list*", "etc/apt/apt.conf*", "etc/apt/auth.conf*", "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
		"var/lib/apt/lists/*", "var/cache/apt/*.bin", "var/cache/debconf/*-old", "var/log/apt", "var/log/*.log",
		"var/lib/dpkg/*-old", "etc/ssh/ssh_host_*", "vmlinuz.old", "initrd.img.old", "usr/lib/udev/hwdb.bin",
		"var/cache/ldconfig/aux-cache",
	}
	for _, pattern := range gone {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return fmt.Errorf("cannot clean the root: %w", err)
		}
		for _, p := range paths {
			if err := os.RemoveAll(p); err != nil {
				return fmt.Errorf("cannot clean the root: %w", err)
			}
		}
	}
	for _, dir := range []string{"etc/apt/sources.list.d", "etc/apt/apt.conf.d", "var/lib/apt/lists/partial", "var/log/apt"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return fmt.Errorf("cannot clean the root: %w", err)
		}
	}
	for name, body := range map[string]string{"etc/machine-id": "", "etc/resolv.conf": "", "etc/hostname": "debian\n"} {
		p := filepath.Join(root, name)
		if err := os.Remove(p); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("cannot clean the root: %w", err)
		}
		if err := os.WriteFile(p, []byte(body), 0o644); err != nil {
			return fmt.Errorf("cannot clean the root: %w", err)
		}
	}
	return nil
}
