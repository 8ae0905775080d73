package osimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Build makes the image unless it is there already. Builders of the same image, also in other processes, wait for the
// first one. The folder that Options.Image names appears whole or not at all.
//
// It needs root (mmdebstrap makes files of other owners), the tools that its error names if they are missing, and a Debian
// mirror: the host's own apt sources and settings are used and leave no trace in the image.
func Build(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return err
	}
	img := o.Image()
	if done(img) {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("cannot build the image as user %d: mmdebstrap and mke2fs must own every file; run as root", os.Geteuid())
	}
	if err := checkNeeds(needs()); err != nil {
		return err
	}
	if err := os.MkdirAll(o.CacheDir, 0o755); err != nil {
		return fmt.Errorf("cannot make the image cache: %w", err)
	}
	unlock, err := lock(ctx, img.Dir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if done(img) {
		return nil
	}
	return buildLocked(ctx, o, img)
}

// done relies on the rename in buildLocked: the folder is only there when it is complete.
func done(img Image) bool {
	_, err := os.Stat(img.Dir)
	return err == nil
}

// buildLocked works in a folder beside the final one. A folder left by a killed builder is removed first.
func buildLocked(ctx context.Context, o Options, img Image) error {
	work := img.Dir + ".work"
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("cannot remove an unfinished build: %w", err)
	}
	defer os.RemoveAll(work)
	out := filepath.Join(work, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("cannot make a folder to build in: %w", err)
	}
	root, raw := filepath.Join(work, "root"), filepath.Join(out, filepath.Base(img.Raw))
	qcow2 := filepath.Join(out, filepath.Base(img.QCow2))
	stages := []struct {
		name string
		do   func() error
	}{
		{"packages", func() error { return buildRoot(ctx, o, work, root) }},
		{"disk", func() error { return assemble(ctx, o, work, root, raw) }},
		{"qcow2", func() error {
			_, err := run(ctx, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, qcow2)
			return err
		}},
		{"sums", func() error { return writeSums(filepath.Join(out, filepath.Base(img.Sums)), qcow2, raw) }},
	}
	for _, s := range stages {
		start := time.Now()
		if err := s.do(); err != nil {
			return fmt.Errorf("cannot build the image (%s): %w", s.name, err)
		}
		o.Log.Info("image stage done", "stage", s.name, "seconds", time.Since(start).Seconds())
	}
	if err := os.Rename(out, img.Dir); err != nil {
		return fmt.Errorf("cannot put the image in place: %w", err)
	}
	return nil
}

// writeSums writes lines as sha256sum does, with names relative to the file's folder.
func writeSums(file string, names ...string) error {
	var text []byte
	for _, name := range names {
		sum, err := sha256File(name)
		if err != nil {
			return err
		}
		text = fmt.Appendf(text, "%s  %s\n", sum, filepath.Base(name))
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return fmt.Errorf("cannot write checksums: %w", err)
	}
	return nil
}

func sha256File(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("cannot sum: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("cannot sum %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
