package ramdisk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// run starts a tool in a folder and returns what it printed. Its messages are never translated.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", fmt.Errorf("cannot run %s: it is not installed; kernel packages need a Debian machine, or Options.KernelPackage", name)
		}
		return "", fmt.Errorf("cannot run %s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// apt asks the host's package sources. With own set it keeps package lists of its own in dir: for another architecture than
// the host's, or where nobody ran apt-get update.
type apt struct {
	dir  string
	arch string
	own  bool
}

func (a apt) options() []string {
	if !a.own {
		return nil
	}
	set := func(key, value string) string { return "--option=" + key + "=" + value }
	return []string{
		set("APT::Architecture", a.arch), set("APT::Architectures", a.arch),
		set("Dir::State::lists", filepath.Join(a.dir, "lists")), set("Dir::State::status", filepath.Join(a.dir, "status")),
		set("Dir::Cache", filepath.Join(a.dir, "cache")),
		// The lists are this user's; apt's own user could not write them.
		set("APT::Sandbox::User", "root"),
	}
}

// update fetches package lists of the own kind.
func (a apt) update(ctx context.Context) error {
	for _, dir := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return fmt.Errorf("cannot make folders for package lists: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(a.dir, "status"), nil, 0o644); err != nil {
		return fmt.Errorf("cannot make folders for package lists: %w", err)
	}
	_, err := run(ctx, a.dir, "apt-get", append(a.options(), "--quiet=2", "update")...)
	return err
}

// dependency is the line of apt-cache depends that names the package with the kernel itself.
var dependency = regexp.MustCompile(`(?m)^ *\|?Depends: (linux-image-[a-z0-9.+-]+)`)

// concrete finds what a package such as linux-image-amd64 stands for today: linux-image-6.1.0-1-amd64.
func (a apt) concrete(ctx context.Context, meta string) (string, error) {
	out, err := run(ctx, "", "apt-cache", append(a.options(), "depends", meta)...)
	if err != nil {
		return "", err
	}
	m := dependency.FindStringSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("cannot find the kernel of package %s: apt's package lists do not have it", meta)
	}
	return strings.TrimSuffix(m[1], ":"+a.arch), nil
}

// download puts a package into a folder, where its file is the only .deb.
func (a apt) download(ctx context.Context, pkg, dir string) (string, error) {
	if _, err := run(ctx, dir, "apt-get", append(a.options(), "--quiet=2", "download", pkg)...); err != nil {
		return "", err
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("cannot find the downloaded package %s in %s", pkg, dir)
	}
	return debs[0], nil
}

// candidate is the version that apt would download.
func (a apt) candidate(ctx context.Context, pkg string) (string, error) {
	out, err := run(ctx, "", "apt-cache", append(a.options(), "show", "--no-all-versions", pkg)...)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if v, ok := strings.CutPrefix(line, "Version: "); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "", fmt.Errorf("cannot find a version of package %s", pkg)
}

// kernelPackage resolves a kernel flavour to a package name and version, with the host's package lists if they have it.
func kernelPackage(ctx context.Context, o Options) (a apt, pkg, version string, err error) {
	meta := "linux-image-" + o.Arch
	if o.Kernel == KernelCloud {
		meta = "linux-image-cloud-" + o.Arch
	}
	a = apt{dir: filepath.Join(o.CacheDir, "apt-"+o.Arch), arch: o.Arch}
	host, err := run(ctx, "", "dpkg", "--print-architecture")
	if err != nil {
		return a, "", "", err
	}
	if a.own = strings.TrimSpace(host) != o.Arch; !a.own {
		if pkg, err = a.concrete(ctx, meta); err == nil {
			version, err = a.candidate(ctx, pkg)
			return a, pkg, version, err
		}
		a.own = true
	}
	if err := a.update(ctx); err != nil {
		return a, "", "", err
	}
	if pkg, err = a.concrete(ctx, meta); err != nil {
		return a, "", "", err
	}
	version, err = a.candidate(ctx, pkg)
	return a, pkg, version, err
}
