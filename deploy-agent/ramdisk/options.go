package ramdisk

import (
	"debug/elf"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/klauspost/compress/zstd"
)

// Set names a choice of drivers.
type Set string

const (
	// SetVirtual is for QEMU's machines: virtio, AHCI, NVMe, e1000, e1000e, IPMI over KCS and SSIF where the kernel has it.
	SetVirtual Set = "virtual"
	// SetServer also has the storage and network adapters of real servers, USB, multipath, software RAID and watchdogs.
	SetServer Set = "server"
)

// Kernel names one of Debian's kernel packages.
type Kernel string

const (
	// KernelCloud has virtio, NVMe and Xen drivers; no AHCI, no e1000, no IPMI. It boots fastest.
	KernelCloud Kernel = "cloud"
	// KernelGeneric has the drivers of real hardware.
	KernelGeneric Kernel = "generic"
)

// DefaultLevel is the zstd level. For the server set, level 19 saves a tenth of the bytes and takes four times as long.
const DefaultLevel = 3

// DefaultCABundle is where Debian keeps the certificates of well-known authorities, in one file.
const DefaultCABundle = "/etc/ssl/certs/ca-certificates.crt"

// Options says what to build. CacheDir, OutDir and Agent (or AgentPath) are required.
type Options struct {
	// CacheDir keeps kernel packages, unpacked: about 400 MB for the generic kernel. It is made if it is missing.
	CacheDir string
	// OutDir gets vmlinuz and initramfs.zst, each replaced by a rename. It is made if it is missing.
	OutDir string
	// Agent is the content of /init: a static ELF program. AgentPath names a file with it instead.
	Agent     []byte
	AgentPath string
	// Set is the choice of drivers; empty means SetServer.
	Set Set
	// Kernel is the kernel package; empty means KernelCloud for SetVirtual and KernelGeneric for SetServer.
	Kernel Kernel
	// KernelPackage is a kernel's .deb file to use instead of asking apt for Kernel's. Any package that has
	// boot/vmlinuz-RELEASE and lib/modules/RELEASE will do.
	KernelPackage string
	// Arch is Debian's name of the architecture, amd64 or arm64; empty means this machine's.
	Arch string
	// Modules are further modules, by name.
	Modules []string
	// CABundle is a file of certificates for /etc/ssl/certs; empty means DefaultCABundle if that exists, "none" none.
	CABundle string
	// Shell is a static busybox for people who log in to a machine in rescue; empty packs none, and rescue is refused then.
	Shell string
	// Level is the zstd level, 1 to 22 as of the zstd program; 0 means DefaultLevel.
	Level int
	// Log gets a line per stage; nil means silence.
	Log *slog.Logger
}

// File is one file that was built.
type File struct {
	// Path is where it lies.
	Path string
	// Size is its length in bytes.
	Size int64
	// SHA256 is its checksum in hexadecimal.
	SHA256 string
}

// Result says what was built.
type Result struct {
	// Kernel is the package's kernel image, unchanged.
	Kernel File
	// Initramfs is the archive with the agent and its modules.
	Initramfs File
	// Release is the kernel's release, as uname -r prints it.
	Release string
	// Modules are the names of the packed modules, sorted.
	Modules []string
	// Missing are names of the set or of Options.Modules that this kernel neither has as a module nor built in, sorted.
	Missing []string
}

func (o Options) withDefaults() Options {
	if o.Set == "" {
		o.Set = SetServer
	}
	if o.Kernel == "" {
		o.Kernel = KernelGeneric
		if o.Set == SetVirtual {
			o.Kernel = KernelCloud
		}
	}
	if o.Arch == "" {
		o.Arch = runtime.GOARCH
	}
	if o.Level == 0 {
		o.Level = DefaultLevel
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.CacheDir == "" || o.OutDir == "":
		return errors.New("cannot build the ramdisk: Options.CacheDir and OutDir must both name a folder")
	case (o.AgentPath == "") == (len(o.Agent) == 0):
		return errors.New("cannot build the ramdisk: give the agent's program in one of Options.Agent and AgentPath")
	case o.Set != SetVirtual && o.Set != SetServer:
		return fmt.Errorf("cannot build the ramdisk: unknown module set %q; use %q or %q", o.Set, SetVirtual, SetServer)
	case o.Kernel != KernelCloud && o.Kernel != KernelGeneric:
		return fmt.Errorf("cannot build the ramdisk: unknown kernel %q; use %q or %q", o.Kernel, KernelCloud, KernelGeneric)
	case o.Arch != "amd64" && o.Arch != "arm64":
		return fmt.Errorf("cannot build the ramdisk: unknown architecture %q; use amd64 or arm64", o.Arch)
	case o.Level < 1 || o.Level > 22:
		return fmt.Errorf("cannot build the ramdisk: zstd level %d is outside 1 to 22", o.Level)
	}
	return nil
}

// encoder makes one that writes the same bytes each time. The kernel's decompressor allows windows up to 128 MiB; 8 MiB
// keeps its memory small and loses nothing on modules.
func (o Options) encoderOptions() []zstd.EOption {
	return []zstd.EOption{
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(o.Level)), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8 << 20),
	}
}

// agent reads the program and refuses one that the kernel could not start as /init: the machine would only show a panic.
func (o Options) agent() ([]byte, error) {
	if o.AgentPath != "" {
		return o.program(o.AgentPath, "the agent")
	}
	return o.Agent, o.static(o.Agent, "Options.Agent", "the agent")
}

// program reads a program that is to run in the ramdisk, as what it is to be.
func (o Options) program(path, as string) ([]byte, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", as, err)
	}
	return body, o.static(body, path, as)
}

// static refuses what does not run in the ramdisk: it has no libraries.
func (o Options) static(body []byte, name, as string) error {
	f, err := elf.NewFile(readerAt(body))
	if err != nil {
		return fmt.Errorf("cannot use %s as %s: %w", name, as, err)
	}
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[o.Arch]
	if f.Machine != want {
		return fmt.Errorf("cannot use %s as %s: it is for %v, the ramdisk for %v", name, as, f.Machine, want)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("cannot use %s as %s: it is dynamically linked; the agent is built with CGO_ENABLED=0, and busybox-static has a static busybox", name, as)
		}
	}
	return nil
}
