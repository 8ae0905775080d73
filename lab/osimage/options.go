package osimage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Kernel names one of Debian's kernel packages.
type Kernel string

const (
	// KernelCloud has virtio, NVMe and Xen drivers only. It is the smaller and quicker one.
	KernelCloud Kernel = "cloud"
	// KernelGeneric also has AHCI, e1000, e1000e and the drivers of real hardware.
	KernelGeneric Kernel = "generic"
)

// Suite is the Debian release that the image holds.
const Suite = "bookworm"

// Limits of Options.SizeMiB, in MiB.
const (
	DefaultSizeMiB = 512
	ComputeSizeMiB = 3072 // what is free is for guests' disks
	MinSizeMiB     = 384
	MaxSizeMiB     = 64 * 1024
)

// builderVersion is part of the cache key: raise it when the builder makes something else of the same options, packages and files.
const builderVersion = "1"

// Options says what image to build and where to keep it. Only CacheDir is required.
type Options struct {
	// CacheDir holds finished images, one folder per set of options. It is made if it is missing. Building needs
	// about 1.5 GiB there for a while.
	CacheDir string
	// Kernel is the kernel package; empty means KernelCloud.
	Kernel Kernel
	// SizeMiB is the size of the disk in MiB; 0 means DefaultSizeMiB, with Compute ComputeSizeMiB.
	SizeMiB int
	// Packages are Debian packages to install besides the image's own.
	Packages []string
	// Compute makes it a compute host's: libvirt and QEMU with a pool "default", whose socket group libvirt may use, and the
	// network card behind a bridge br0.
	Compute bool
	// Log gets one line per stage with its duration; nil means silence.
	Log *slog.Logger
}

// Image is the set of files that one Build leaves behind.
type Image struct {
	// Dir is the folder with the files below.
	Dir string
	// QCow2 is the disk in qcow2 format (version 3, clusters not compressed, no backing file).
	QCow2 string
	// Raw is the same disk byte by byte, as a sparse file.
	Raw string
	// Sums is a SHA256SUMS file, as sha256sum --check reads it, with a line each for QCow2 and Raw.
	Sums string
}

// Path is the folder of the image with default options under a cache folder; Build puts it there.
func Path(cacheDir string) string {
	return Options{CacheDir: cacheDir}.Image().Dir
}

// Image names the files that Build makes of these options, whether they exist yet or not.
func (o Options) Image() Image {
	dir := filepath.Join(o.CacheDir, "debian-12-"+o.key())
	return Image{
		Dir:   dir,
		QCow2: filepath.Join(dir, "disk.qcow2"),
		Raw:   filepath.Join(dir, "disk.raw"),
		Sums:  filepath.Join(dir, "SHA256SUMS"),
	}
}

func (o Options) withDefaults() Options {
	if o.Kernel == "" {
		o.Kernel = KernelCloud
	}
	if o.SizeMiB == 0 && o.Compute {
		o.SizeMiB = ComputeSizeMiB
	}
	if o.SizeMiB == 0 {
		o.SizeMiB = DefaultSizeMiB
	}
	o.Packages = append([]string{}, o.Packages...)
	if o.Compute {
		o.Packages = append(o.Packages, strings.Fields(computePackages)...)
	}
	slices.Sort(o.Packages)
	o.Packages = slices.Compact(o.Packages)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// packageName is Debian Policy 5.6.7: it keeps a name from being read as an option or as apt syntax by mmdebstrap.
var packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)

func (o Options) validate() error {
	if o.CacheDir == "" {
		return fmt.Errorf("cannot build the image: Options.CacheDir is empty; name a folder for finished images")
	}
	if o.Kernel != KernelCloud && o.Kernel != KernelGeneric {
		return fmt.Errorf("cannot build the image: unknown kernel %q; use %q or %q", o.Kernel, KernelCloud, KernelGeneric)
	}
	if o.SizeMiB < MinSizeMiB || o.SizeMiB > MaxSizeMiB {
		return fmt.Errorf("cannot build the image: size %d MiB is outside %d to %d", o.SizeMiB, MinSizeMiB, MaxSizeMiB)
	}
	for _, p := range o.Packages {
		if !packageName.MatchString(p) {
			return fmt.Errorf("cannot build the image: %q is not the name of a Debian package", p)
		}
	}
	return nil
}

// key identifies what the image is made of: options, the files laid over the system, and the builder.
func (o Options) key() string {
	o = o.withDefaults()
	h := sha256.New()
	enc := json.NewEncoder(h)
	// Encoding plain strings and numbers into a hash cannot fail.
	_ = enc.Encode([]any{builderVersion, Suite, o.Kernel, o.SizeMiB, o.Packages, basePackages, leftOut(), grubConfig("")})
	for _, f := range overlay(o) {
		_ = enc.Encode([]any{f.name, f.mode, f.link, f.body})
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
