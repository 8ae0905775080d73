package ingot_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/ingot-metal/ingot"

// rule is quoted when an import breaks it.
const rule = "One rule of imports: the root imports the standard library; every other folder imports the root, third parties and listed leaves, never a sibling; only serve, mains and end-to-end tests put siblings together."

// leaves are the folders that siblings may import, each with its users.
var leaves = map[string][]string{
	"images/format":      {"images", "deploy-agent"},
	"images/configdrive": {"conductor", "api"},
	"images/disk":        {"deploy-agent", "lab"},
	"lab/vbmc":           {"ipmi", "redfish", "conductor", "hypervisor", "guestbmc"},
	"api/client":         {"cmd", "lab"},
	"bmc":                {"ipmi", "redfish"},
	"conductor/shacrypt": {"conductor", "deploy-agent"},
	"conductor/errand":   {"conductor", "hypervisor"},
}

// wiring are the folders that put siblings together; tests are the packages that any test may import.
var (
	wiring      = []string{"serve", "cmd"}
	testHelpers = []string{"store", "store/storetest", "lab/sim", "conductor/drivertest"}
)

func TestImports(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(path, ".go") {
			checkFile(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkFile reports the imports of one file that break the rule.
func checkFile(t *testing.T, path string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.ToSlash(filepath.Dir(path))
	for _, spec := range file.Imports {
		name := strings.Trim(spec.Path.Value, `"`)
		if why := refuse(from, name, strings.HasSuffix(path, "_test.go")); why != "" {
			t.Errorf("%s imports %s: %s\n%s", path, name, why, rule)
		}
	}
}

// refuse says why a folder may not import a package; "" when it may.
func refuse(from, name string, test bool) string {
	inside, ours := strings.CutPrefix(name, module+"/")
	first, _, _ := strings.Cut(name, "/")
	switch {
	case name == module:
		return ""
	case from == "." && !test && strings.Contains(first, "."):
		return "the root imports the standard library only"
	case !ours, from == ".", under(from, wiring):
		return ""
	case top(from) == top(inside):
		return ""
	case leafFor(from, inside):
		return ""
	case from == "lab" && top(inside) == "serve", top(from) == "lab" && test: // end-to-end tests live in lab
		return ""
	case test && under(inside, testHelpers):
		return ""
	}
	return "siblings do not know each other"
}

func leafFor(from, inside string) bool {
	for leaf, users := range leaves {
		if under(inside, []string{leaf}) && under(from, users) {
			return true
		}
	}
	return false
}

// under says whether a folder is one of those listed or below one.
func under(folder string, list []string) bool {
	for _, l := range list {
		if folder == l || strings.HasPrefix(folder, l+"/") {
			return true
		}
	}
	return false
}

func top(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	return first
}
