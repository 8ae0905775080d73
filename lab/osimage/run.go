package osimage

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Files of GRUB and shim that the disk is made from.
const (
	grubBIOSDir = "/usr/lib/grub/i386-pc"
	grubBootImg = grubBIOSDir + "/boot.img"
	grubSigned  = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
	shimSigned  = "/usr/lib/shim/shimx64.efi.signed"
)

const systemBinDirs = "/usr/sbin:/usr/bin:/sbin:/bin"

// need is an outside tool (a name) or file (a path) and the Debian package that brings it.
type need struct{ name, pkg string }

func needs() []need {
	return []need{
		{"mmdebstrap", "mmdebstrap"},
		{"apt-config", "apt"},
		{"mke2fs", "e2fsprogs"},
		{"mkfs.vfat", "dosfstools"},
		{"mmd", "mtools"},
		{"mcopy", "mtools"},
		{"sgdisk", "gdisk"},
		{"grub-mkimage", "grub-common"},
		{"qemu-img", "qemu-utils"},
		{grubBootImg, "grub-pc-bin"},
		{grubSigned, "grub-efi-amd64-signed"},
		{shimSigned, "shim-signed"},
	}
}

// checkNeeds reports everything that is missing at once, with the command that installs it.
func checkNeeds(list []need) error {
	var names, pkgs []string
	for _, n := range list {
		if _, err := lookPath(n.name); err != nil {
			names = append(names, n.name)
			pkgs = append(pkgs, n.pkg)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(pkgs)
	return fmt.Errorf("cannot build the image: missing %s; install with: apt-get install %s",
		strings.Join(names, ", "), strings.Join(slices.Compact(pkgs), " "))
}

// lookPath also finds what lives in the sbin folders, which are not on an ordinary user's PATH.
func lookPath(name string) (string, error) {
	if strings.HasPrefix(name, "/") {
		_, err := os.Stat(name)
		return name, err
	}
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	for _, dir := range strings.Split(systemBinDirs, ":") {
		p := dir + "/" + name
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("cannot find %s", name)
}

// run starts a tool and waits for it. An error carries the end of what the tool printed. When ctx ends, the tool's whole
// process group gets SIGTERM: mmdebstrap then unmounts and kills what it started.
func run(ctx context.Context, name string, args ...string) (string, error) {
	path, err := lookPath(name)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PATH="+systemBinDirs)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("cannot run %s: %w: %s", name, err, tail(stdout.String()+stderr.String(), 1500))
	}
	return stdout.String(), nil
}

func tail(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	return "…" + s[len(s)-n:]
}
