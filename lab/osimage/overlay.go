package osimage

import (
	"archive/tar"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

//go:embed all:overlay all:compute
var overlayFiles embed.FS

// overlayFile is a file (or, with link set, a symbolic link) laid into the root file system before packages are installed.
type overlayFile struct {
	name string // path without a leading slash
	mode int64
	body []byte
	link string
}

// maskedUnits cost boot time and do nothing for a machine that lives for one test. cloud-init's own are among them: one
// service of the overlay does their work. /run/nologin is never made, so nothing has to remove it.
func maskedUnits() []string {
	return strings.Fields(`
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
		systemd-tmpfiles-clean.timer e2scrub_reap.service systemd-pstore.service getty@tty1.service getty-static.service
		proc-sys-fs-binfmt_misc.automount systemd-binfmt.service systemd-firstboot.service systemd-repart.service
		systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pcrphase.service
		systemd-pcrphase-sysinit.service systemd-machine-id-commit.service dev-hugepages.mount dev-mqueue.mount
		sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount
		systemd-ask-password-console.path systemd-ask-password-wall.path systemd-networkd-wait-online.service
		kmod-static-nodes.service systemd-tmpfiles-setup-dev.service systemd-hwdb-update.service
		systemd-journal-catalog-update.service systemd-journal-flush.service systemd-random-seed.service
		systemd-sysusers.service systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service
		systemd-user-sessions.service modprobe@drm.service ldconfig.service cryptsetup.target veritysetup.target
		integritysetup.target remote-fs.target systemd-initctl.socket systemd-journald-audit.socket
		cloud-init-hotplugd.socket cloud-init-local.service cloud-init.service cloud-config.service cloud-final.service`)
}

// maskedGenerators are programs that systemd starts before anything else to make units that this image never needs.
func maskedGenerators() []string {
	return strings.Fields(`
		cloud-init-generator systemd-cryptsetup-generator systemd-debug-generator systemd-getty-generator
		systemd-gpt-auto-generator systemd-hibernate-resume-generator systemd-integritysetup-generator
		systemd-rc-local-generator systemd-run-generator systemd-system-update-generator systemd-sysv-generator
		systemd-veritysetup-generator`)
}

// overlay lists the files in a fixed order; those of a compute host are beside the others.
func overlay(o Options) []overlayFile {
	out := laid("overlay")
	if o.Compute {
		out = append(out, laid("compute")...)
		out = append(out, overlayFile{name: "etc/libvirt/storage/autostart/default.xml", mode: 0o777, link: "/etc/libvirt/storage/default.xml"})
	}
	link := func(name, to string) { out = append(out, overlayFile{name: name, mode: 0o777, link: to}) }
	for _, unit := range maskedUnits() {
		link("etc/systemd/system/"+unit, "/dev/null")
	}
	for _, generator := range maskedGenerators() {
		link("etc/systemd/system-generators/"+generator, "/dev/null")
	}
	link("etc/tmpfiles.d/systemd-nologin.conf", "/dev/null")
	link("etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target")
	const wants = "etc/systemd/system/multi-user.target.wants/"
	link(wants+"cloud-init-once.service", "../cloud-init-once.service")
	link(wants+"systemd-networkd.service", "/lib/systemd/system/systemd-networkd.service")
	link(wants+"console-getty.service", "/lib/systemd/system/console-getty.service")
	return out
}

// laid are the files of an embedded folder. Walking one cannot fail.
func laid(from string) []overlayFile {
	var out []overlayFile
	_ = fs.WalkDir(overlayFiles, from, func(path string, d fs.DirEntry, _ error) error {
		if d.IsDir() {
			return nil
		}
		body, err := overlayFiles.ReadFile(path)
		name, mode := strings.TrimPrefix(path, from+"/"), int64(0o644)
		if strings.HasPrefix(name, "usr/local/sbin/") {
			mode = 0o755
		}
		out = append(out, overlayFile{name: name, mode: mode, body: body})
		return err
	})
	return out
}

func writeOverlay(file string, o Options) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the overlay: %w", err)
	}
	defer f.Close()
	tw := tar.NewWriter(f)
	made := map[string]bool{}
	for _, of := range overlay(o) {
		if err := writeParents(tw, made, of.name); err != nil {
			return err
		}
		h := &tar.Header{Name: of.name, Mode: of.mode, Size: int64(len(of.body)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}
		if of.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, of.link
		}
		if err := tw.WriteHeader(h); err != nil {
			return fmt.Errorf("cannot write the overlay's %s: %w", of.name, err)
		}
		if _, err := tw.Write(of.body); err != nil {
			return fmt.Errorf("cannot write the overlay's %s: %w", of.name, err)
		}
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("cannot write the overlay: %w", err)
	}
	return f.Close()
}

// writeParents adds the folders above a file, each once, as packages would make them.
func writeParents(tw *tar.Writer, made map[string]bool, name string) error {
	for i, c := range name {
		if c != '/' || made[name[:i]] {
			continue
		}
		made[name[:i]] = true
		h := &tar.Header{Name: name[:i] + "/", Mode: 0o755, Typeflag: tar.TypeDir, ModTime: time.Unix(0, 0)}
		if err := tw.WriteHeader(h); err != nil {
			return fmt.Errorf("cannot write the overlay's folder %s: %w", name[:i], err)
		}
	}
	return nil
}
