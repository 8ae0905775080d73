package ramdisk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

// Names of the files in Options.OutDir.
const (
	KernelName    = "vmlinuz"
	InitramfsName = "initramfs.zst"
)

// Build makes both files, vmlinuz last. The kernel's package is fetched once and kept; the rest is made anew each time, within
// seconds.
func Build(ctx context.Context, o Options) (Result, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	agent, err := o.agent()
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	tree, err := fetchKernel(ctx, o)
	if err != nil {
		return Result{}, fmt.Errorf("cannot get a kernel for the ramdisk: %w", err)
	}
	o.Log.Info("kernel ready", "release", tree.release, "seconds", time.Since(start).Seconds())
	index, err := modules.Open(os.DirFS(tree.modules))
	if err != nil {
		return Result{}, fmt.Errorf("cannot read the kernel's modules: %w", err)
	}
	chosen, missing := choose(index, append(o.Set.names(), o.Modules...))
	res := Result{Release: tree.release, Missing: missing}
	for _, m := range chosen {
		res.Modules = append(res.Modules, m.Name)
	}
	start = time.Now()
	records, err := contents(o, agent, tree, chosen)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(o.OutDir, 0o755); err != nil {
		return Result{}, fmt.Errorf("cannot make the output folder: %w", err)
	}
	if res.Initramfs, err = replace(filepath.Join(o.OutDir, InitramfsName), func(w io.Writer) error {
		return writeArchive(w, o.encoderOptions(), records)
	}); err != nil {
		return Result{}, err
	}
	if res.Kernel, err = replace(filepath.Join(o.OutDir, KernelName), func(w io.Writer) error {
		return copyFile(w, tree.vmlinuz)
	}); err != nil {
		return Result{}, err
	}
	o.Log.Info("initramfs written", "modules", len(chosen), "bytes", res.Initramfs.Size, "seconds", time.Since(start).Seconds())
	return res, ctx.Err()
}

// replace writes a file beside its final place, syncs it, and renames it over what was there.
func replace(path string, write func(io.Writer) error) (File, error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return File{}, fmt.Errorf("cannot write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	h := sha256.New()
	if err := write(io.MultiWriter(tmp, h)); err != nil {
		return File{}, fmt.Errorf("cannot write %s: %w", path, err)
	}
	size, err := tmp.Seek(0, io.SeekCurrent)
	for _, step := range []func() error{
		func() error { return err },
		func() error { return tmp.Chmod(0o644) },
		tmp.Sync, tmp.Close,
		func() error { return os.Rename(tmp.Name(), path) },
	} {
		if err := step(); err != nil {
			return File{}, fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	return File{Path: path, Size: size, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

func copyFile(w io.Writer, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func hashFile(path string) (File, error) {
	h := sha256.New()
	if err := copyFile(h, path); err != nil {
		return File{}, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return File{Path: path, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
