package modules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Loader loads modules of one index into the running kernel. It is not safe for concurrent use.
type Loader struct {
	// Index knows the modules.
	Index *Index
	// Insert loads one module file, given by its path relative to the release's folder; Kernel is the real one. It
	// answers nil when the module is there already.
	Insert func(path string) error
	// Skip are names of modules never to load, as modprobe.blacklist= on the kernel's command line gives them.
	Skip []string

	tried map[string]error
}

// Kernel returns an Insert that loads files under a folder with finit_module(2). Files must not be compressed.
func Kernel(dir string) func(path string) error {
	return func(path string) error {
		f, err := os.Open(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
			return err
		}
		return nil
	}
}

// Load loads what a module name or alias stands for, with dependencies. Nothing to do (built in, or loaded before) is no
// error; a name that nothing has is. Each module is tried once: later calls repeat its first error.
func (l *Loader) Load(nameOrAlias string) error {
	found := l.Index.Lookup(nameOrAlias)
	if len(found) == 0 {
		if l.Index.Builtin(nameOrAlias) {
			return nil
		}
		return fmt.Errorf("cannot load module %s: this kernel has none of that name; rebuild the ramdisk with it", nameOrAlias)
	}
	var errs []error
	for _, m := range found {
		if _, err := l.load(m); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// load returns the names of the modules that were newly inserted. A failed dependency fails what needs it; a failed soft
// dependency does not.
func (l *Loader) load(m *Module) ([]string, error) {
	if l.tried == nil {
		l.tried = map[string]error{}
		for _, name := range l.Skip {
			l.tried[Name(name)] = fmt.Errorf("module %s is on the list of modules not to load", name)
		}
	}
	var fresh []string
	for _, next := range l.Index.Order(m) {
		if _, done := l.tried[next.Name]; done {
			continue
		}
		l.tried[next.Name] = l.insert(next)
		if l.tried[next.Name] == nil {
			fresh = append(fresh, next.Name)
		}
	}
	return fresh, l.tried[m.Name]
}

func (l *Loader) insert(m *Module) error {
	for _, dep := range m.Deps {
		if err := l.tried[dep]; err != nil {
			return fmt.Errorf("cannot load module %s: %w", m.Name, err)
		}
	}
	if err := l.Insert(m.Path); err != nil {
		return fmt.Errorf("cannot load module %s: %w", m.Name, err)
	}
	return nil
}
