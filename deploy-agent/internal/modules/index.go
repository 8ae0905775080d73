package modules

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// maxLine bounds one line of an index file. The longest real line, dependencies of a large module, is below 4 KiB.
const maxLine = 1 << 20

// Module is one loadable module.
type Module struct {
	// Name is the kernel's name for it, with underscores: nvme_core.
	Name string
	// Path is the file, relative to /lib/modules/RELEASE: kernel/drivers/nvme/host/nvme-core.ko.
	Path string
	// Deps are names of modules that must be there first, in loading order, indirect ones included.
	Deps []string
	// Pre and Post are soft dependencies: module names or aliases to load before or after, if there are any such.
	Pre, Post []string
}

// Index knows the modules of one kernel release.
type Index struct {
	modules map[string]*Module
	builtin map[string]bool
	aliases aliasTable
}

// Name turns a file name or a spelling with dashes into the kernel's name: nvme-core.ko.xz is nvme_core.
func Name(file string) string {
	base, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(base, "-", "_")
}

// Open reads the index files of a folder such as /lib/modules/6.1.0-1-amd64. modules.dep must be there; modules.alias,
// modules.softdep and modules.builtin may be missing.
func Open(dir fs.FS) (*Index, error) {
	x := NewIndex()
	for _, f := range []struct {
		name string
		read func(io.Reader) error
	}{
		{"modules.dep", x.readDep},
		{"modules.alias", x.readAlias},
		{"modules.softdep", x.readSoftdep},
		{"modules.builtin", x.readBuiltin},
	} {
		file, err := dir.Open(f.name)
		if errors.Is(err, fs.ErrNotExist) && f.name != "modules.dep" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot open the module index: %w", err)
		}
		err = f.read(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", f.name, err)
		}
	}
	return x, nil
}

// NewIndex returns an index without modules.
func NewIndex() *Index {
	return &Index{modules: map[string]*Module{}, builtin: map[string]bool{}}
}

// Modules returns all loadable modules, sorted by name. They are the index's own: do not change them.
func (x *Index) Modules() []*Module {
	out := make([]*Module, 0, len(x.modules))
	for _, m := range x.modules {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *Module) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Builtin tells whether the kernel itself contains a module.
func (x *Index) Builtin(name string) bool { return x.builtin[Name(name)] }

// Lookup resolves a module name or an alias (also a modalias of a device) to modules. A name wins over aliases. Nothing
// comes back for what is built in or unknown.
func (x *Index) Lookup(nameOrAlias string) []*Module {
	if m := x.modules[Name(nameOrAlias)]; m != nil {
		return []*Module{m}
	}
	var out []*Module
	for _, name := range x.aliases.match(nameOrAlias) {
		if m := x.modules[name]; m != nil {
			out = append(out, m)
		}
	}
	return out
}

// readDep reads lines "kernel/a/b.ko: kernel/c.ko kernel/d.ko", where the last dependency is to be loaded first.
func (x *Index) readDep(r io.Reader) error {
	return eachLine(r, func(line string) error {
		file, rest, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(file) == "" {
			return fmt.Errorf("line %q has no module", line)
		}
		file = strings.TrimSpace(file)
		m := &Module{Name: Name(file), Path: file}
		for _, dep := range strings.Fields(rest) {
			m.Deps = append(m.Deps, Name(dep))
		}
		slices.Reverse(m.Deps)
		x.modules[m.Name] = m
		return nil
	})
}

// readAlias reads lines "alias PATTERN MODULE".
func (x *Index) readAlias(r io.Reader) error {
	return eachLine(r, func(line string) error {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "alias" {
			return fmt.Errorf("line %q is not an alias", line)
		}
		x.aliases.add(f[1], Name(f[2]))
		return nil
	})
}

// readSoftdep reads lines "softdep MODULE pre: A B post: C".
func (x *Index) readSoftdep(r io.Reader) error {
	return eachLine(r, func(line string) error {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "softdep" {
			return fmt.Errorf("line %q is not a soft dependency", line)
		}
		if m := x.modules[Name(f[1])]; m != nil {
			m.addSoft(f[2:])
		}
		return nil
	})
}

// addSoft takes the words after the module's name: "pre:" and "post:" open a list.
func (m *Module) addSoft(words []string) {
	var list *[]string
	for _, w := range words {
		switch {
		case w == "pre:":
			list = &m.Pre
		case w == "post:":
			list = &m.Post
		case list != nil && !slices.Contains(*list, w):
			*list = append(*list, w)
		}
	}
}

// readBuiltin reads one path a line.
func (x *Index) readBuiltin(r io.Reader) error {
	return eachLine(r, func(line string) error {
		x.builtin[Name(line)] = true
		return nil
	})
}

// eachLine skips empty lines and comments.
func eachLine(r io.Reader, do func(string) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := do(line); err != nil {
			return err
		}
	}
	return s.Err()
}
