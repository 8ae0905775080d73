package modules

import "strings"

// aliasTable keeps patterns by bus, the part before the first colon, since a server has some hundred modaliases and a
// kernel some twenty thousand patterns. Patterns with a wildcard in that part (acpi*:...) are tried for every device.
type aliasTable struct {
	byBus map[string][]alias
	any   []alias
}

type alias struct{ pattern, module string }

func (t *aliasTable) add(pattern, module string) {
	pattern = normalize(pattern)
	a := alias{pattern, module}
	bus, _, ok := strings.Cut(pattern, ":")
	if !ok || strings.ContainsAny(bus, `*?[\`) {
		t.any = append(t.any, a)
		return
	}
	if t.byBus == nil {
		t.byBus = map[string][]alias{}
	}
	t.byBus[bus] = append(t.byBus[bus], a)
}

// match returns module names, each once, in the order of the index file.
func (t *aliasTable) match(name string) []string {
	name = normalize(name)
	bus, _, _ := strings.Cut(name, ":")
	var out []string
	seen := map[string]bool{}
	for _, list := range [][]alias{t.byBus[bus], t.any} {
		for _, a := range list {
			if !seen[a.module] && Match(a.pattern, name) {
				seen[a.module] = true
				out = append(out, a.module)
			}
		}
	}
	return out
}

// normalize replaces dashes by underscores outside of brackets, as kmod does with names and patterns.
func normalize(s string) string {
	if !strings.Contains(s, "-") {
		return s
	}
	b := []byte(s)
	inside := false
	for i, c := range b {
		switch {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case c == '-' && !inside:
			b[i] = '_'
		}
	}
	return string(b)
}

// Match tells whether a name fits a pattern with the wildcards of fnmatch(3) without flags, which is what modules.alias
// holds: * any run, ? any byte, [a-f] and [!a-f] sets, \ quotes. A bracket that is never closed stands for itself.
func Match(pattern, name string) bool {
	star, mark := -1, 0 // where to go on after the last star, and how much of name it has eaten
	p, n := 0, 0
	for n < len(name) {
		if p < len(pattern) {
			if pattern[p] == '*' {
				p++
				star, mark = p, n
				continue
			}
			if width, ok := matchOne(pattern[p:], name[n]); ok {
				p += width
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star, mark
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches one byte against the pattern's first element, whose width it returns.
func matchOne(pattern string, c byte) (width int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == c
		}
	case '[':
		if end := setEnd(pattern); end > 0 {
			return end + 1, inSet(pattern[1:end], c)
		}
	}
	return 1, pattern[0] == c
}

// setEnd is the index of the bracket that closes a set, or 0. A bracket right at the start of the set is a member.
func setEnd(pattern string) int {
	i := 1
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		i++
	}
	if i < len(pattern) && pattern[i] == ']' {
		i++
	}
	if end := strings.IndexByte(pattern[min(i, len(pattern)):], ']'); end >= 0 {
		return i + end
	}
	return 0
}

func inSet(set string, c byte) bool {
	not := set != "" && (set[0] == '!' || set[0] == '^')
	if not {
		set = set[1:]
	}
	found := false
	for i := 0; i < len(set); i++ {
		lo, hi := set[i], set[i]
		if i+2 < len(set) && set[i+1] == '-' {
			hi = set[i+2]
			i += 2
		}
		found = found || (lo <= c && c <= hi)
	}
	return found != not
}
