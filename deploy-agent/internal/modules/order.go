package modules

// Order returns a module and all that it needs, in loading order: soft pre-dependencies, dependencies, the module, soft
// post-dependencies. Names that no module has are left out: they are built in, or the kernel lacks them, and loading then
// says what is wrong.
func (x *Index) Order(m *Module) []*Module {
	w := walk{index: x, seen: map[string]bool{}}
	w.visit(m)
	return w.out
}

// Closure returns the modules that the given ones need, themselves included, each once and in loading order.
func (x *Index) Closure(list []*Module) []*Module {
	w := walk{index: x, seen: map[string]bool{}}
	for _, m := range list {
		w.visit(m)
	}
	return w.out
}

// walk visits depth first; seen also ends circles, which soft dependencies can form.
type walk struct {
	index *Index
	seen  map[string]bool
	out   []*Module
}

func (w *walk) visit(m *Module) {
	if w.seen[m.Name] {
		return
	}
	w.seen[m.Name] = true
	w.soft(m.Pre)
	for _, name := range m.Deps {
		if dep := w.index.modules[name]; dep != nil {
			w.visit(dep)
		}
	}
	w.out = append(w.out, m)
	w.soft(m.Post)
}

func (w *walk) soft(names []string) {
	for _, name := range names {
		for _, m := range w.index.Lookup(name) {
			w.visit(m)
		}
	}
}
