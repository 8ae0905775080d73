package osimage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hostSources collects, from the files of an /etc/apt folder, the entries that serve the suite's main component, in their
// own form. deb822 and one-line entries come back apart, since mmdebstrap wants one form per source file. Other vendors'
// repositories fall out: they have other suites or components. Both empty means that the host is not set up for the suite.
func hostSources(etcApt string) (deb822, oneLine string, err error) {
	files := []string{filepath.Join(etcApt, "sources.list")}
	more, err := filepath.Glob(filepath.Join(etcApt, "sources.list.d", "*"))
	if err != nil {
		return "", "", fmt.Errorf("cannot list apt sources: %w", err)
	}
	var stanzas, lines []string
	for _, f := range append(files, more...) {
		ext := filepath.Ext(f)
		if ext != ".list" && ext != ".sources" {
			continue
		}
		text, err := os.ReadFile(f)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", "", fmt.Errorf("cannot read apt sources: %w", err)
		}
		if ext == ".sources" {
			stanzas = append(stanzas, suiteStanzas(string(text))...)
		} else {
			lines = append(lines, suiteLines(string(text))...)
		}
	}
	return strings.Join(stanzas, "\n"), strings.Join(lines, ""), nil
}

// isSuite tells whether a name is the suite or one of its official companions.
func isSuite(s string) bool {
	return s == Suite || s == Suite+"-updates" || s == Suite+"-security"
}

// suiteStanzas picks stanzas of a .sources file (sources.list(5), deb822 style) and drops their comments.
func suiteStanzas(text string) []string {
	var out []string
	for _, stanza := range strings.Split("\n"+text, "\n\n") {
		fields := map[string][]string{}
		var kept strings.Builder
		for _, line := range strings.Split(stanza, "\n") {
			if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
				continue
			}
			kept.WriteString(line + "\n")
			if name, value, ok := strings.Cut(line, ":"); ok && line[0] != ' ' && line[0] != '\t' {
				fields[strings.ToLower(name)] = strings.Fields(value)
			}
		}
		disabled := slices.Equal(fields["enabled"], []string{"no"})
		if !disabled && slices.Contains(fields["types"], "deb") && slices.ContainsFunc(fields["suites"], isSuite) &&
			slices.Contains(fields["components"], "main") {
			out = append(out, kept.String())
		}
	}
	return out
}

// suiteLines picks lines of a .list file: deb [options] uri suite component...
func suiteLines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		if before, after, found := strings.Cut(rest, "]"); found && strings.HasPrefix(strings.TrimSpace(before), "[") {
			rest = after
		}
		f := strings.Fields(rest)
		if len(f) >= 3 && isSuite(f[1]) && slices.Contains(f[2:], "main") {
			out = append(out, strings.TrimSpace(line)+"\n")
		}
	}
	return out
}

// acquireOptions keeps, of the output of apt-config dump, what tells how to reach and judge the sources: proxies, retries,
// validity checks. Index formats and languages stay the builder's own.
func acquireOptions(dump string) string {
	skip := []string{"IndexTargets", "Changelogs", "CompressionTypes", "GzipIndexes", "Languages", "PDiffs", "By-Hash"}
	var out strings.Builder
	for line := range strings.Lines(dump) {
		rest, ok := strings.CutPrefix(line, "Acquire::")
		if !ok || slices.ContainsFunc(skip, func(s string) bool { return strings.HasPrefix(rest, s) }) {
			continue
		}
		out.WriteString(line)
	}
	return out.String()
}
