package api_test

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What changes a YAML document in place, so that its comments, its order and its words stay.

// get is the value under a key of a mapping, or nil.
func get(m *yaml.Node, key string) *yaml.Node {
	for i := 0; m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

func set(m *yaml.Node, key string, to *yaml.Node) {
	if old := get(m, key); old != nil {
		head, line, foot := old.HeadComment, old.LineComment, old.FootComment
		*old = *to
		old.HeadComment, old.LineComment, old.FootComment = head, line, foot
		return
	}
	m.Kind, m.Tag = yaml.MappingNode, "!!map"
	m.Content = append(m.Content, value(key), to)
}

// def sets what is not there.
func def(m *yaml.Node, key string, to any) {
	if get(m, key) == nil {
		set(m, key, value(to))
	}
}

// under is the mapping under a key, made where there is none.
func under(m *yaml.Node, key string) *yaml.Node {
	if get(m, key) == nil {
		set(m, key, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
	}
	return get(m, key)
}

func value(v any) *yaml.Node {
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		panic(err)
	}
	return n
}

// flow is a value on one line.
func flow(v any) *yaml.Node {
	n := value(v)
	n.Style = yaml.FlowStyle
	return n
}

// lines are values of which each has one line.
func lines(items []any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, item := range items {
		if theirs, ok := item.(*yaml.Node); ok {
			n.Content = append(n.Content, theirs)
			continue
		}
		n.Content = append(n.Content, flow(item))
	}
	return n
}

// ref is a reference to a schema, or to what a path from the root names.
func ref(to string) map[string]any {
	if !strings.HasPrefix(to, "/") {
		to = "/components/schemas/" + to
	}
	return map[string]any{"$ref": "#" + to}
}

func sortKeys(m *yaml.Node) {
	type pair struct{ key, value *yaml.Node }
	var pairs []pair
	for i := 0; i+1 < len(m.Content); i += 2 {
		pairs = append(pairs, pair{m.Content[i], m.Content[i+1]})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.key.Value, b.key.Value) })
	m.Content = m.Content[:0]
	for _, p := range pairs {
		m.Content = append(m.Content, p.key, p.value)
	}
}

// keep takes away the keys that are not named.
func keep(m *yaml.Node, names map[string]bool) {
	var kept []*yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		if names[m.Content[i].Value] {
			kept = append(kept, m.Content[i], m.Content[i+1])
		}
	}
	m.Content = kept
}

// prune takes away operations that no route has, and paths that have none left.
func prune(paths *yaml.Node, known map[string]bool) {
	left := map[string]bool{}
	for i := 0; i+1 < len(paths.Content); i += 2 {
		path, item := paths.Content[i].Value, paths.Content[i+1]
		methods := map[string]bool{}
		for j := 0; j+1 < len(item.Content); j += 2 {
			key := item.Content[j].Value
			methods[key] = known[path+" "+key] || key == "parameters" || key == "description"
			left[path] = left[path] || known[path+" "+key]
		}
		keep(item, methods)
	}
	keep(paths, left)
}
