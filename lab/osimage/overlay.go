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

//go:embed all:overlay
var overlayFiles embed.FS

// overlayFile is a file (or, with link set, a symbolic link) laid into the root file system before packages are installed.
type overlayFile struct {
	name string // path without a leading slash
	mode int64
	body []byte
	link string
}

// masked are units that cost boot time and do nothing for a machine that lives for one test. cloud-init's later stages are
// among them: their work is done by the one service that the overlay brings.
func masked() []string {
	return strings.Fields(`
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
		systemd-tmpfiles-clean.timer e2scrub_reap.service systemd-pstore.service getty@tty1.service getty-static.service
		proc-sys-fs-binfmt_misc.automount systemd-binfmt.service systemd-firstboot.service systemd-repart.service
		systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pcrphase.service
		systemd-pcrphase-sysinit.service systemd-machine-id-commit.service cloud-init-hotplugd.socket cloud-init-local.service
		cloud-init.service cloud-config.service cloud-final.service
		dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount
		sys-fs-fuse-connections.mount systemd-ask-password-console.path systemd-ask-password-wall.path
		systemd-networkd-wait-online.service kmod-static-nodes.service systemd-hwdb-update.service
		systemd-journal-catalog-update.service systemd-random-seed.service systemd-sysusers.service ldconfig.service`)
}

// overlay lists the files in a fixed order.
func overlay() []overlayFile {
	var out []overlayFile
	// Walking an embedded tree cannot fail.
	_ = fs.WalkDir(overlayFiles, "overlay", func(path string, d fs.DirEntry, _ error) error {
		if d.IsDir() {
			return nil
		}
		body, err := overlayFiles.ReadFile(path)
		mode := int64(0o644)
		if strings.HasPrefix(path, "overlay/usr/local/sbin/") {
			mode = 0o755
		}
		out = append(out, overlayFile{name: strings.TrimPrefix(path, "overlay/"), mode: mode, body: body})
		return err
	})
	link := func(name, to string) { out = append(out, overlayFile{name: name, mode: 0o777, link: to}) }
	for _, unit := range masked() {
		link("etc/systemd/system/"+unit, "/dev/null")
	}
	// Without its generator cloud-init does not search for a platform; one unit of ours is wanted outright.
	link("etc/systemd/system-generators/cloud-init-generator", "/dev/null")
	link("etc/systemd/system/multi-user.target.wants/cloud-init-once.service", "../cloud-init-once.service")
	link("etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "/lib/systemd/system/systemd-networkd.service")
	return out
}

func writeOverlay(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the overlay: %w", err)
	}
	defer f.Close()
	tw := tar.NewWriter(f)
	made := map[string]bool{}
	for _, of := range overlay() {
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
