package efiboot

import (
	"encoding/binary"
	"errors"
	"path"
	"strings"
	"unicode/utf16"

	"github.com/ingot-metal/ingot/deploy-agent/internal/fat"
)

// Limits of the search, and the label of what has no name of its own.
const (
	maxDepth   = 8
	maxEntries = 20000
	maxDirs    = 500
	plainLabel = "Ingot"
)

// ErrNoLoader says that a partition has no boot loader for this machine.
var ErrNoLoader = errors.New("no boot loader")

// loader is a boot loader on an EFI system partition.
type loader struct {
	path      string // with slashes, from the root
	label     string
	arguments string
}

// suffix is how boot loaders' names end on an architecture (UEFI 2.10, section 3.5.1.1, and shim).
func suffix(arch string) string {
	switch arch {
	case "aarch64", "arm64":
		return "aa64"
	case "riscv64":
		return "riscv64"
	}
	return "x64"
}

// findLoader looks for shim's list of boot entries (BOOTX64.CSV), which names loader and label; then for the loader at
// the fallback path, which every installer for removable media has; then for what distributions have been seen to
// install.
func findLoader(fs *fat.FS, arch string) (loader, error) {
	files, err := walk(fs)
	if err != nil {
		return loader{}, err
	}
	end := suffix(arch)
	for _, list := range []string{"boot" + end + ".csv", "boot.csv"} {
		for _, f := range files {
			if strings.ToLower(path.Base(f.path)) != list {
				continue
			}
			content, err := fs.Read(f.entry)
			if err != nil {
				return loader{}, err
			}
			if l, ok := fromList(content, path.Dir(f.path), files); ok {
				return l, nil
			}
		}
	}
	names := []string{
		"/efi/boot/boot" + end + ".efi", "boot" + end + ".efi", "shim" + end + ".efi", "grub" + end + ".efi",
		"systemd-boot" + end + ".efi", "/efi/microsoft/boot/bootmgfw.efi",
	}
	for _, name := range names {
		for _, f := range files {
			if lower := strings.ToLower(f.path); lower == name || path.Base(lower) == name {
				return loader{path: f.path, label: plainLabel}, nil
			}
		}
	}
	return loader{}, ErrNoLoader
}

// fromList reads a CSV in UTF-16: file name, label, arguments, description. The file stands beside the list; a line
// whose file is missing is passed over.
func fromList(content []byte, dir string, files []found) (loader, bool) {
	for line := range strings.Lines(utf16Text(content)) {
		fields := strings.SplitN(strings.TrimSpace(line), ",", 4)
		if len(fields) < 2 || fields[0] == "" {
			continue
		}
		for _, f := range files {
			if strings.EqualFold(f.path, path.Join(dir, fields[0])) {
				l := loader{path: f.path, label: strings.TrimSpace(fields[1])}
				if l.label == "" {
					l.label = plainLabel
				}
				if len(fields) > 2 {
					l.arguments = strings.TrimSpace(fields[2])
				}
				return l, true
			}
		}
	}
	return loader{}, false
}

// utf16Text decodes UTF-16 of either byte order, little endian where no mark says otherwise.
func utf16Text(b []byte) string {
	var order binary.ByteOrder = binary.LittleEndian
	if len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff {
		order = binary.BigEndian
	}
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		if u := order.Uint16(b); u != 0xfeff && u != 0 {
			units = append(units, u)
		}
	}
	return string(utf16.Decode(units))
}

// found is a file and its path.
type found struct {
	path  string
	entry fat.Entry
}

// walk lists the files of the whole volume, within limits.
func walk(fs *fat.FS) ([]found, error) {
	root, err := fs.Root()
	if err != nil {
		return nil, err
	}
	type level struct {
		dir     string
		entries []fat.Entry
		depth   int
	}
	var out []found
	seen, dirs := 0, 0
	for todo := []level{{"/", root, 0}}; len(todo) > 0; {
		at := todo[0]
		todo = todo[1:]
		for _, e := range at.entries {
			if seen++; seen > maxEntries {
				return out, nil
			}
			name := path.Join(at.dir, e.Name)
			if !e.Dir {
				out = append(out, found{name, e})
				continue
			}
			if dirs++; at.depth >= maxDepth || dirs > maxDirs { // also where a directory holds itself
				continue
			}
			entries, err := fs.List(e)
			if err != nil {
				return nil, err
			}
			todo = append(todo, level{name, entries, at.depth + 1})
		}
	}
	return out, nil
}
