package ramdisk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// kernelTree is an unpacked kernel in the cache: a folder with vmlinuz and modules/RELEASE, index files included.
type kernelTree struct {
	vmlinuz string
	modules string
	release string
}

// openTree fails with os.ErrNotExist if the folder is not there. It appears by a rename, so it is whole if it is there.
func openTree(dir string) (kernelTree, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "modules"))
	if err != nil {
		return kernelTree{}, err
	}
	if len(entries) != 1 {
		return kernelTree{}, fmt.Errorf("cannot use %s: it has modules of %d kernels, not of one", dir, len(entries))
	}
	release := entries[0].Name()
	return kernelTree{
		vmlinuz: filepath.Join(dir, "vmlinuz"),
		modules: filepath.Join(dir, "modules", release),
		release: release,
	}, nil
}

// fetchKernel returns the kernel that the options ask for, from the cache or from apt.
func fetchKernel(ctx context.Context, o Options) (kernelTree, error) {
	if err := os.MkdirAll(o.CacheDir, 0o755); err != nil {
		return kernelTree{}, fmt.Errorf("cannot make the cache: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(o.CacheDir, "lock"))
	if err != nil {
		return kernelTree{}, err
	}
	defer unlock()
	if o.KernelPackage != "" {
		sum, err := hashFile(o.KernelPackage)
		if err != nil {
			return kernelTree{}, err
		}
		return cachedKernel(filepath.Join(o.CacheDir, "kernel-"+sum.SHA256[:16]), func(work string) error {
			return unpack(ctx, o.KernelPackage, work)
		})
	}
	a, pkg, version, err := kernelPackage(ctx, o)
	if err != nil {
		return kernelTree{}, err
	}
	// A version may have an epoch, "1:6.1", and a colon is an awkward character in a path.
	name := strings.ReplaceAll(pkg+"_"+version+"_"+o.Arch, ":", "%3a")
	return cachedKernel(filepath.Join(o.CacheDir, name), func(work string) error {
		deb, err := a.download(ctx, pkg, work)
		if err != nil {
			return err
		}
		return unpack(ctx, deb, work)
	})
}

// cachedKernel opens dir, made by fill if it is not there yet: fill leaves vmlinuz and modules in the folder it is given.
func cachedKernel(dir string, fill func(work string) error) (kernelTree, error) {
	if tree, err := openTree(dir); !errors.Is(err, os.ErrNotExist) {
		return tree, err
	}
	work := dir + ".work"
	if err := os.RemoveAll(work); err != nil {
		return kernelTree{}, fmt.Errorf("cannot remove an unfinished kernel: %w", err)
	}
	defer os.RemoveAll(work)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return kernelTree{}, fmt.Errorf("cannot make a folder for the kernel: %w", err)
	}
	if err := fill(work); err != nil {
		return kernelTree{}, err
	}
	if err := os.Rename(work, dir); err != nil {
		return kernelTree{}, fmt.Errorf("cannot put the kernel in place: %w", err)
	}
	return openTree(dir)
}

// unpack leaves only vmlinuz and modules of a package in the folder work.
func unpack(ctx context.Context, deb, work string) error {
	all := filepath.Join(work, "package")
	if err := os.Mkdir(all, 0o755); err != nil {
		return fmt.Errorf("cannot unpack the kernel: %w", err)
	}
	deb, err := filepath.Abs(deb)
	if err != nil {
		return fmt.Errorf("cannot unpack the kernel: %w", err)
	}
	if _, err := run(ctx, "", "dpkg-deb", "--extract", deb, all); err != nil {
		return err
	}
	images, _ := filepath.Glob(filepath.Join(all, "boot", "vmlinuz-*"))
	if len(images) != 1 {
		return fmt.Errorf("cannot use %s: it has %d files boot/vmlinuz-*, not one", filepath.Base(deb), len(images))
	}
	release := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	// From trixie on, packages use the merged /usr.
	mods := filepath.Join(all, "usr/lib/modules", release)
	if _, err := os.Stat(mods); err != nil {
		mods = filepath.Join(all, "lib/modules", release)
	}
	if err := writeIndex(mods); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(work, "modules"), 0o755); err != nil {
		return fmt.Errorf("cannot unpack the kernel: %w", err)
	}
	for from, to := range map[string]string{images[0]: "vmlinuz", mods: "modules/" + release} {
		if err := os.Rename(from, filepath.Join(work, to)); err != nil {
			return fmt.Errorf("cannot unpack the kernel: %w", err)
		}
	}
	debs, _ := filepath.Glob(filepath.Join(work, "*.deb"))
	for _, p := range append(debs, all) {
		if err := os.RemoveAll(p); err != nil {
			return fmt.Errorf("cannot unpack the kernel: %w", err)
		}
	}
	return nil
}
