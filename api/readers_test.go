package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// readingFiles are where the readers that rows name are found: files below the root of the module.
func readingFiles() map[string][]string {
	return map[string][]string{
		"store": {"store/*.go"}, "nodes": {"api/nodes*.go", "api/filters.go", "conductor/vanish.go"}, "nodes and provision": {"api/provision.go", "conductor/provision.go"},
		"ports": {"api/ports*.go", "api/vifs*.go", "api/portgroups.go"}, "port groups": {"api/portgroups.go", "api/ports*.go", "store/ports.go"}, "VIFs": {"api/vifs*.go"},
		"chassis": {"api/chassis.go", "store/*.go"}, "runbooks": {"api/runbooks.go"}, "inspection rules": {"api/inspection_rules.go"},
		"provision": {"api/provision.go", "api/runbook_traits.go", "conductor/provision.go", "template.go"}, "provide": {"conductor/clean.go", "conductor/provision.go"},
		"deploy": {"conductor/*.go", "node.go"}, "inspect": {"conductor/rules*.go", "conductor/inspect.go"}, "power": {"conductor/power.go", "conductor/machine.go"},
		"power sync": {"conductor/powersync.go"}, "boot": {"conductor/*.go", "store/nodes*.go"}, "agent": {"conductor/*.go"}, "drivers": {"serve/drivers.go", "api/nodes*.go", "api/drivers.go"},
		"allocator": {"conductor/allocate.go", "conductor/fallback.go"}, "config drive": {"conductor/configdrive.go"}, "guests": {"api/guests.go", "guest.go", "place.go", "conductor/*.go"},
		"placement": {"place*.go", "guest.go", "fallback.go", "conductor/fallback.go"},
	}
}

// kept are the reasons for a field that nothing of ours reads.
var kept = []string{"notes of their own", "shown beside", "keeps it likewise"}

// TestReadersAreThere: what a row says of its field's reader is so: the part of the code that it names reads the field.
func TestReadersAreThere(t *testing.T) {
	t.Parallel()
	read := reads(t)
	readersOf(t, read, nodeFields())
	readersOf(t, read, portFields())
	readersOf(t, read, portgroupFields())
	readersOf(t, read, chassisFields())
	readersOf(t, read, connectorFields())
	readersOf(t, read, targetFields())
	readersOf(t, read, templateFields())
	readersOf(t, read, runbookFields())
	readersOf(t, read, ruleFields())
	readersOf(t, read, allocationFields())
	readersOf(t, read, flavorFields())
}

func readersOf[T, Q any](t *testing.T, read map[string]map[string]bool, table []field[T, Q]) {
	t.Helper()
	for i := range table {
		f := &table[i]
		if !f.settable() {
			continue
		}
		name := keptIn(f)
		require.NotEmpty(t, name, "%T: %s is kept nowhere", *new(T), f.name)
		for reader := range strings.SplitSeq(f.readBy, "; ") {
			part, what, _ := strings.Cut(reader, ": ")
			switch {
			case part == "clients":
				require.True(t, slices.ContainsFunc(kept, func(reason string) bool { return strings.Contains(what, reason) }), "%T: %s is for clients alone, and why?", *new(T), f.name)
			case part == "refused":
				require.NotNil(t, f.check, "%T: %s is not refused", *new(T), f.name)
			case strings.HasPrefix(what, "list filter"):
				require.True(t, f.filter != nil || read["filters"][name] || read["filters"][name+"Contains"], "%T: %s has no filter", *new(T), f.name)
			default:
				require.Contains(t, read, part, "%T: %s names a reader that is not known: give readingFiles() its files", *new(T), f.name)
				require.True(t, read[part][name], "%T: %s says that %s reads it (%s), but no code of that part mentions .%s", *new(T), f.name, part, what, name)
			}
		}
	}
}

// keptIn is the field of the record that changes when a client sets one.
func keptIn[T, Q any](f *field[T, Q]) string {
	values := map[kind][]any{
		kindFlag: {true, false}, kindObject: {map[string]any{"a": 1.0}}, kindInteger: {7}, kindList: {[]any{"a"}, []any{map[string]any{"a": 1.0}}},
	}[f.kind]
	if values == nil {
		values = []any{"11111111-2222-4333-8444-555555555555"}
	}
	for _, v := range values {
		var before, after T
		if !sets(f, &after, v) {
			continue
		}
		was, is := reflect.ValueOf(before), reflect.ValueOf(after)
		for i := range was.NumField() {
			if !reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
				return was.Type().Field(i).Name
			}
		}
	}
	return ""
}

// sets says whether the field takes such a value.
func sets[T, Q any](f *field[T, Q], at *T, v any) (ok bool) {
	defer func() { ok = recover() == nil }()
	f.set(at, v)
	return true
}

// reads are the names of fields that each reader's files mention, and under "filters" those that queries have.
func reads(t *testing.T) map[string]map[string]bool {
	t.Helper()
	read := map[string]map[string]bool{"filters": {}}
	mention := func(part, pattern string) {
		files, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files, "%s: no file is called %s", part, pattern)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				mentions(t, file, read[part])
			}
		}
	}
	for part, patterns := range readingFiles() {
		read[part] = map[string]bool{}
		for _, pattern := range patterns {
			mention(part, pattern)
		}
	}
	mention("filters", "store/nodes_query.go")
	return read
}

// mentions adds the names that stand behind a point in a file, save where a column only says its place, and those that a
// query selects by.
func mentions(t *testing.T, file string, names map[string]bool) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			key, _ := n.Key.(*ast.Ident)
			return key == nil || key.Name != "place"
		case *ast.CompositeLit:
			if of, ok := n.Type.(*ast.SelectorExpr); ok && strings.HasSuffix(of.Sel.Name, "Query") {
				selects(n, names)
			}
		case *ast.SelectorExpr:
			names[n.Sel.Name] = true
		}
		return true
	})
}

func selects(query *ast.CompositeLit, names map[string]bool) {
	for _, element := range query.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok {
				names[key.Name] = true
			}
		}
	}
}
