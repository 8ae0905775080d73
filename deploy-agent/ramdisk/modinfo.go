package ramdisk

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ulikunitz/xz"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

// maxModule bounds a decompressed module; the largest of Debian's is some 10 MiB.
const maxModule = 128 << 20

// modinfo is what a module says of itself in its .modinfo section: strings key=value, each ended by a zero byte.
type modinfo struct {
	path    string // relative to the release's folder
	depends []string
	aliases []string
	softdep []string // the words of "pre: a b post: c", as written
}

// readerAt serves bytes to readers of ELF files and archives.
func readerAt(b []byte) *bytes.Reader { return bytes.NewReader(b) }

// parseModinfo reads a module, decompressed.
func parseModinfo(body []byte) (modinfo, error) {
	var info modinfo
	f, err := elf.NewFile(readerAt(body))
	if err != nil {
		return info, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return info, errors.New("it has no .modinfo section")
	}
	text, err := section.Data()
	if err != nil {
		return info, err
	}
	for _, entry := range strings.Split(string(text), "\x00") {
		key, value, _ := strings.Cut(entry, "=")
		if strings.ContainsAny(value, "\r\n") {
			continue // would break the index files' lines; no such alias can match a device
		}
		switch key {
		case "depends":
			info.depends = append(info.depends, strings.FieldsFunc(value, func(r rune) bool { return r == ',' })...)
		case "alias":
			if len(strings.Fields(value)) == 1 {
				info.aliases = append(info.aliases, value)
			}
		case "softdep":
			info.softdep = append(info.softdep, strings.Fields(value)...)
		}
	}
	return info, nil
}

// readModule returns a module's ELF file, whatever the package compressed it with: Debian 12 with nothing, 13 with xz.
func readModule(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read module: %w", err)
	}
	defer f.Close()
	var r io.Reader = f
	switch ext := filepath.Ext(file); ext {
	case ".ko":
	case ".xz":
		if r, err = xz.NewReader(f); err != nil {
			return nil, fmt.Errorf("cannot decompress module %s: %w", file, err)
		}
	default:
		return nil, fmt.Errorf("cannot read module %s: unknown compression %s", file, ext)
	}
	body, err := io.ReadAll(io.LimitReader(r, maxModule+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read module %s: %w", file, err)
	}
	if len(body) > maxModule {
		return nil, fmt.Errorf("cannot read module %s: it is larger than %d bytes", file, maxModule)
	}
	return body, nil
}

// writeIndex does what depmod does when a kernel package is installed (packages come without these files): it reads every
// module below dir, the release's folder, and writes modules.dep, modules.alias and modules.softdep there.
func writeIndex(dir string) error {
	infos, err := scanModules(dir)
	if err != nil {
		return err
	}
	dep, alias, softdep := indexText(infos)
	for name, text := range map[string]string{"modules.dep": dep, "modules.alias": alias, "modules.softdep": softdep} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("cannot write the module index: %w", err)
		}
	}
	return nil
}

func scanModules(dir string) ([]modinfo, error) {
	var out []modinfo
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.Contains(d.Name(), ".ko") {
			return err
		}
		body, err := readModule(file)
		if err != nil {
			return err
		}
		info, err := parseModinfo(body)
		if err != nil {
			return fmt.Errorf("cannot use module %s: %w", file, err)
		}
		info.path, err = filepath.Rel(dir, file)
		out = append(out, info)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the kernel's modules: %w", err)
	}
	slices.SortFunc(out, func(a, b modinfo) int { return cmp.Compare(a.path, b.path) })
	return out, nil
}

// indexText renders the three files. modules.dep lists dependencies with their own, the first to load at the end.
func indexText(infos []modinfo) (dep, alias, softdep string) {
	byName := map[string]modinfo{}
	for _, info := range infos {
		byName[modules.Name(info.path)] = info
	}
	var d, a, s strings.Builder
	for _, info := range infos {
		var order []string
		needed(byName, info, map[string]bool{info.path: true}, &order)
		slices.Reverse(order)
		fmt.Fprintf(&d, "%s: %s\n", info.path, strings.Join(order, " "))
		for _, pattern := range info.aliases {
			fmt.Fprintf(&a, "alias %s %s\n", pattern, modules.Name(info.path))
		}
		if len(info.softdep) > 0 {
			fmt.Fprintf(&s, "softdep %s %s\n", modules.Name(info.path), strings.Join(info.softdep, " "))
		}
	}
	return d.String(), a.String(), s.String()
}

// needed appends the paths of all that info depends on, deepest first.
func needed(byName map[string]modinfo, info modinfo, seen map[string]bool, order *[]string) {
	for _, name := range info.depends {
		next, ok := byName[modules.Name(name)]
		if !ok || seen[next.path] {
			continue
		}
		seen[next.path] = true
		needed(byName, next, seen, order)
		*order = append(*order, next.path)
	}
}
