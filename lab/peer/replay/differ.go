package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// difference is one thing in which the answers differ.
type difference struct {
	aspect string // status, header, shape, words, keys, value
	detail string
}

func (d difference) String() string { return d.aspect + ": " + d.detail }

// differences compares two answers.
func differences(a *ask, theirs, ours answer) []difference {
	if a.want != "" {
		if theirs.reached(a) != ours.reached(a) {
			return []difference{{"value", fmt.Sprintf("%s is not %q: ironic %s, ingot %s", a.field, a.want, theirs.text, ours.text)}}
		}
		return nil
	}
	if theirs.status != ours.status {
		return []difference{{"status", fmt.Sprintf("ironic %d %s, ingot %d %s", theirs.status, brief(theirs), ours.status, brief(ours))}}
	}
	found := headers(theirs, ours)
	if theirs.status >= 400 {
		return append(found, refusals(a, theirs, ours)...)
	}
	return append(found, compare("", theirs.body, ours.body)...)
}

func brief(a answer) string {
	if s := a.sentence(); s != "" {
		return fmt.Sprintf("%q", s)
	}
	return a.text[:min(len(a.text), 200)]
}

// headers compares those that clients use. Versions and request IDs that Ironic leaves out (of what its framework answers)
// are in every answer of Ingot's.
func headers(theirs, ours answer) (found []difference) {
	for _, name := range []string{"X-OpenStack-Ironic-API-Version", "X-OpenStack-Ironic-API-Minimum-Version", "Location"} {
		t, o := theirs.header.Get(name), ours.header.Get(name)
		if t != o && (t != "" || name == "Location") {
			found = append(found, difference{"header", fmt.Sprintf("%s: ironic %q, ingot %q", name, t, o)})
		}
	}
	for _, name := range []string{"X-OpenStack-Ironic-API-Maximum-Version", "Openstack-Request-Id", "Content-Type"} {
		t, _, _ := strings.Cut(theirs.header.Get(name), ";")
		o, _, _ := strings.Cut(ours.header.Get(name), ";")
		if t != "" && o == "" || name == "Content-Type" && t != o {
			found = append(found, difference{"header", fmt.Sprintf("%s: ironic %q, ingot %q", name, t, o)})
		}
	}
	return found
}

// refusals compares the shape of two errors, and whether ours names what theirs names of the request.
func refusals(a *ask, theirs, ours answer) (found []difference) {
	if t, o := shape(theirs), shape(ours); t != o {
		found = append(found, difference{"shape", fmt.Sprintf("ironic %s, ingot %s", t, o)})
	}
	t, o := theirs.sentence(), ours.sentence()
	if t == o {
		return found
	}
	named := words(o)
	for _, word := range slices.Sorted(maps.Keys(words(a.path + " " + a.body + " " + a.version))) {
		if words(t)[word] && !named[word] {
			return append(found, difference{"words", fmt.Sprintf("%s is not named: ironic %q, ingot %q", word, t, o)})
		}
	}
	if (t == "") != (o == "") {
		found = append(found, difference{"words", fmt.Sprintf("ironic %q, ingot %q", t, o)})
	}
	return found
}

// shape is how an error is built: the keys outside and inside, and who is to blame.
func shape(a answer) string {
	outer, _ := a.body.(map[string]any)
	text := fmt.Sprint(slices.Sorted(maps.Keys(outer)))
	if _, ok := outer["error_message"].(string); ok {
		text += fmt.Sprint(slices.Sorted(maps.Keys(a.fault())))
	}
	if code, ok := a.fault()["faultcode"]; ok {
		text += fmt.Sprint(code)
	}
	return text
}

var word = regexp.MustCompile(`[A-Za-z0-9_.~-]*[A-Za-z0-9_]`)

// plainWords say nothing about the request that they are in.
func plainWords() []string {
	return []string{"node", "nodes", "port", "ports", "v1", "name", "state", "states", "is", "a", "to", "on", "not", "value", "driver", "traits", "trait", "path", "op", "target", "null"}
}

func words(text string) map[string]bool {
	found := map[string]bool{}
	for _, w := range word.FindAllString(text, -1) {
		if len(w) > 1 && !slices.Contains(plainWords(), w) {
			found[w] = true
		}
	}
	return found
}

// compare goes through two JSON values side by side.
func compare(at string, theirs, ours any) []difference {
	switch t := theirs.(type) {
	case map[string]any:
		if o, ok := ours.(map[string]any); ok {
			return compareObjects(at, t, o)
		}
	case []any:
		if o, ok := ours.([]any); ok {
			return compareLists(at, t, o)
		}
	}
	key := at[strings.LastIndex(at, ".")+1:]
	if kindOf(theirs) == kindOf(ours) && changes(key) || text(theirs) == text(ours) {
		return nil
	}
	return []difference{{"value", fmt.Sprintf("%s: ironic %s, ingot %s", at, text(theirs), text(ours))}}
}

func compareObjects(at string, theirs, ours map[string]any) (found []difference) {
	for _, key := range slices.Sorted(maps.Keys(theirs)) {
		if _, ok := ours[key]; !ok {
			found = append(found, difference{"keys", fmt.Sprintf("%s.%s is ironic's only: %s", at, key, text(theirs[key]))})
			continue
		}
		found = append(found, compare(at+"."+key, theirs[key], ours[key])...)
	}
	for _, key := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := theirs[key]; !ok {
			found = append(found, difference{"keys", fmt.Sprintf("%s.%s is ingot's only: %s", at, key, text(ours[key]))})
		}
	}
	return found
}

// compareLists compares lists of words as sets, and others in their order.
func compareLists(at string, theirs, ours []any) (found []difference) {
	if t, o := slices.Sorted(maps.Keys(plain(theirs))), slices.Sorted(maps.Keys(plain(ours))); len(t) > 0 || len(o) > 0 {
		if !slices.Equal(t, o) {
			found = append(found, difference{"value", fmt.Sprintf("%s: ironic %v, ingot %v", at, t, o)})
		}
		return found
	}
	if len(theirs) != len(ours) {
		return []difference{{"value", fmt.Sprintf("%s: ironic has %d, ingot %d", at, len(theirs), len(ours))}}
	}
	for i := range theirs {
		found = append(found, compare(fmt.Sprintf("%s[%d]", at, i), theirs[i], ours[i])...)
	}
	return found
}

func plain(list []any) map[string]bool {
	set := map[string]bool{}
	for _, item := range list {
		if s, ok := item.(string); ok {
			set[s] = true
		}
	}
	return set
}

// changes says whether a key's value is another one in every service: only its kind is compared.
func changes(key string) bool {
	return strings.HasSuffix(key, "_at") || slices.Contains([]string{"conductor", "hostname", "agent_secret_token", "description"}, key)
}

func kindOf(v any) string {
	if v == nil {
		return "null"
	}
	return fmt.Sprintf("%T", v)
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
