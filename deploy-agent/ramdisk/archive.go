package ramdisk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

// contents lists everything in the archive, folders above files.
func contents(o Options, agent []byte, tree kernelTree, chosen []*modules.Module) ([]cpio.Record, error) {
	records := []cpio.Record{
		cpio.StaticFile("init", string(agent), 0o755),
		cpio.Directory("tmp", 0o1777),
		// The kernel opens these for /init before anything is mounted.
		cpio.CharDev("dev/console", 0o600, 5, 1),
		cpio.CharDev("dev/null", 0o666, 1, 3),
	}
	for _, dir := range []string{"dev", "etc", "proc", "root", "run", "sys", "var"} {
		records = append(records, cpio.Directory(dir, 0o755))
	}
	if o.Shell != "" {
		shell, err := o.program(o.Shell, "the shell")
		if err != nil {
			return nil, err
		}
		records = append(records, cpio.StaticFile("bin/busybox", string(shell), 0o755))
	}
	base := "lib/modules/" + tree.release
	for _, m := range chosen {
		body, err := readModule(filepath.Join(tree.modules, m.Path))
		if err != nil {
			return nil, err
		}
		records = append(records, cpio.StaticFile(path.Join(base, plainPath(m.Path)), string(body), 0o644))
	}
	index, err := trimmedIndex(tree, chosen)
	if err != nil {
		return nil, err
	}
	for name, text := range index {
		records = append(records, cpio.StaticFile(path.Join(base, name), text, 0o644))
	}
	bundle, err := caBundle(o.CABundle)
	if err != nil {
		return nil, err
	}
	if bundle != "" {
		records = append(records, cpio.StaticFile("etc/ssl/certs/ca-certificates.crt", bundle, 0o644))
	}
	return withFolders(records), nil
}

func caBundle(file string) (string, error) {
	switch file {
	case "none":
		return "", nil
	case "":
		text, err := os.ReadFile(DefaultCABundle)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return string(text), err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("cannot read the certificates: %w", err)
	}
	return string(text), nil
}

// plainPath is the path of a module after decompression.
func plainPath(p string) string {
	before, _, _ := strings.Cut(p, ".ko")
	return before + ".ko"
}

// trimmedIndex renders the index files for the chosen modules, from the lines of the full ones.
func trimmedIndex(tree kernelTree, chosen []*modules.Module) (map[string]string, error) {
	byName := map[string]*modules.Module{}
	for _, m := range chosen {
		byName[m.Name] = m
	}
	var dep strings.Builder
	for _, m := range chosen {
		dep.WriteString(plainPath(m.Path) + ":")
		for _, name := range slices.Backward(m.Deps) {
			if d := byName[name]; d != nil {
				dep.WriteString(" " + plainPath(d.Path))
			}
		}
		dep.WriteString("\n")
	}
	out := map[string]string{"modules.dep": dep.String()}
	keep := map[string]func(words []string) bool{
		"modules.alias":   func(words []string) bool { return len(words) == 3 && byName[words[2]] != nil },
		"modules.softdep": func(words []string) bool { return len(words) > 1 && byName[words[1]] != nil },
		"modules.builtin": func([]string) bool { return true },
	}
	for name, wanted := range keep {
		text, err := os.ReadFile(filepath.Join(tree.modules, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot read the module index: %w", err)
		}
		var b strings.Builder
		for line := range strings.Lines(string(text)) {
			if wanted(strings.Fields(line)) {
				b.WriteString(line)
			}
		}
		out[name] = b.String()
	}
	return out, nil
}

// withFolders adds the folders above each file, and sorts: a folder's name is a prefix of its files' and comes first.
func withFolders(records []cpio.Record) []cpio.Record {
	have := map[string]bool{}
	for _, r := range records {
		have[r.Name] = true
	}
	for _, r := range records {
		for dir := path.Dir(r.Name); dir != "." && !have[dir]; dir = path.Dir(dir) {
			have[dir] = true
			records = append(records, cpio.Directory(dir, 0o755))
		}
	}
	slices.SortFunc(records, func(a, b cpio.Record) int { return strings.Compare(a.Name, b.Name) })
	return records
}

// writeArchive writes the records as a newc archive in one zstd frame. Times, owners and inodes are all zero.
func writeArchive(w io.Writer, opts []zstd.EOption, records []cpio.Record) error {
	z, err := zstd.NewWriter(w, opts...)
	if err != nil {
		return err
	}
	archive := cpio.Newc.Writer(z)
	for _, r := range records {
		if err := archive.WriteRecord(cpio.MakeReproducible(r)); err != nil {
			return err
		}
	}
	if err := cpio.WriteTrailer(archive); err != nil {
		return err
	}
	return z.Close()
}
