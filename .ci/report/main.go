// Command report reads `go test -json` from standard input, prints a line for each package and the output of what
// failed, and closes with the names of what failed and the plain line "N passed, N failed". It exits 1 if anything failed
// or nothing ran.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// event is a line of `go test -json` (cmd/test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

// slowPackage is from how many seconds on a package's slowest test is named.
const slowPackage = 60

func main() {
	stages := flag.Int("stages-failed", 0, "stages before the tests that failed; they count as failed")
	flag.Parse()
	passed, failed, skipped := 0, *stages, 0
	output := map[string][]string{}
	slowest := map[string]event{} // by package
	var names []string
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text())
			continue
		}
		key := e.Package + "\x00" + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
		case "pass", "skip", "fail":
			count(&e, &passed, &failed, &skipped)
			show(&e, output[key])
			if e.Test != "" && !strings.Contains(e.Test, "/") && e.Elapsed > slowest[e.Package].Elapsed {
				slowest[e.Package] = e
			}
			if slow := slowest[e.Package]; e.Test == "" && e.Elapsed > slowPackage {
				fmt.Printf("      the slowest was %s (%.0f s)\n", slow.Test, slow.Elapsed)
			}
			if e.Action == "fail" {
				names = append(names, strings.TrimSpace(e.Package+" "+e.Test))
			}
			if e.Action == "fail" && e.Test == "" {
				names = append(names, unfinished(e.Package, output)...)
			}
			delete(output, key)
		}
	}
	summary := fmt.Sprintf("%d passed, %d failed", passed, failed)
	if skipped > 0 {
		summary += fmt.Sprintf(", %d skipped", skipped)
	}
	for _, name := range names {
		fmt.Println("failed:", name)
	}
	fmt.Println(summary)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

// count counts tests; a package that fails counts as well, since it may have failed to build.
func count(e *event, passed, failed, skipped *int) {
	switch {
	case e.Action == "fail":
		*failed++
	case e.Test == "":
	case e.Action == "pass":
		*passed++
	default:
		*skipped++
	}
}

// show prints a package's end, why a test was skipped, and all that a failure said.
func show(e *event, output []string) {
	switch {
	case e.Action == "fail":
		fmt.Printf("FAIL %s %s\n%s", e.Package, e.Test, strings.Join(output, ""))
	case e.Test == "" && e.Action == "pass":
		fmt.Printf("   ok %s (%.0f s)\n", e.Package, e.Elapsed)
	case e.Test != "" && e.Action == "skip":
		fmt.Printf("   skipped %s %s: %s\n", e.Package, e.Test, reason(output))
	}
}

// unfinished shows what the tests said that ran when their package broke off, by a timeout or a panic: they have no end of
// their own, and what the panic printed is told as theirs. It returns the lines that the closing ones should repeat.
func unfinished(pkg string, output map[string][]string) (names []string) {
	for key, lines := range output {
		name, ok := strings.CutPrefix(key, pkg+"\x00")
		text := strings.Join(lines, "")
		_, panicked, found := strings.Cut(text, "panic: ")
		if !ok || name == "" || !found {
			continue
		}
		fmt.Printf("BROKEN OFF %s %s\n%s", pkg, name, text)
		said, stacks, _ := strings.Cut(panicked, "\n\n") // "test timed out after", and the tests that ran
		for line := range strings.Lines(said) {
			names = append(names, pkg+" panic: "+strings.TrimSpace(line))
		}
		for line := range strings.Lines(stacks) {
			if at := strings.TrimSpace(line); strings.Contains(at, "_test.go:") && len(names) < 40 && !slices.Contains(names, at) {
				names = append(names, at)
			}
		}
	}
	return names
}

// reason is the line of a skipped test's output that its author wrote.
func reason(output []string) string {
	for _, line := range output {
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "===") {
			return text
		}
	}
	return "no reason given"
}
