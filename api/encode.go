package api

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// appendJSON appends v as encoding/json would write it. Answers are made of a few types, and a page of a thousand nodes
// has some hundred thousand values: walking them without reflection takes a quarter of the time. All other types go to
// encoding/json.
func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendText(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		if whole := int64(v); float64(whole) == v && math.Abs(v) < 1<<53 && !(v == 0 && math.Signbit(v)) {
			return strconv.AppendInt(b, whole, 10), nil
		}
	case map[string]any:
		return appendMap(b, v, appendJSON)
	case map[string]string:
		return appendMap(b, v, appendString)
	case []any:
		return appendList(b, v, appendJSON)
	case []string:
		return appendList(b, v, appendString)
	case pairs:
		return appendPairs(b, v)
	case []pairs:
		return appendList(b, v, appendPairs)
	case listing:
		return appendListing(b, v)
	case links:
		return appendLinks(b, v), nil
	case []map[string]any:
		return appendList(b, v, func(b []byte, m map[string]any) ([]byte, error) { return appendMap(b, m, appendJSON) })
	case []map[string]string:
		return appendList(b, v, func(b []byte, m map[string]string) ([]byte, error) { return appendMap(b, m, appendString) })
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}

// appendMap writes an object with its keys in order.
func appendMap[V any](b []byte, m map[string]V, value func([]byte, V) ([]byte, error)) (_ []byte, err error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	var few [96]string // a node has fewer fields
	keys := few[:0]
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = value(append(appendText(b, key), ':'), m[key]); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendPairs(b []byte, m pairs) (_ []byte, err error) {
	b = append(b, '{')
	for i := range m {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendJSON(append(appendText(b, m[i].name), ':'), m[i].value); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// appendListing makes room for all by the size of the first.
func appendListing(b []byte, l listing) (_ []byte, err error) {
	start := len(b)
	b = append(b, '[')
	for i := range l.n {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendPairs(b, l.item(i)); err != nil {
			return b, err
		}
		if i == 0 {
			b = slices.Grow(b, (len(b)-start+16)*(l.n-1)+1024)
		}
	}
	return append(b, ']'), nil
}

func appendLinks(b []byte, l links) []byte {
	b = appendText(append(b, `[{"href":`...), l.base, "/v1/", l.path)
	b = appendText(append(b, `,"rel":"self"},{"href":`...), l.base, "/", l.path)
	return append(b, `,"rel":"bookmark"}]`...)
}

func appendList[V any](b []byte, list []V, value func([]byte, V) ([]byte, error)) (_ []byte, err error) {
	if list == nil {
		return append(b, "null"...), nil
	}
	b = append(b, '[')
	for i, item := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = value(b, item); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendString(b []byte, s string) ([]byte, error) { return appendText(b, s), nil }

// appendText writes a string that is given in parts: plain ASCII as it is; what has to be escaped goes to encoding/json.
func appendText(b []byte, parts ...string) []byte {
	start := len(b)
	b = append(b, '"')
	for _, s := range parts {
		if !unescaped(s) {
			text, _ := json.Marshal(strings.Join(parts, "")) // it takes any string
			return append(b[:start], text...)
		}
		b = append(b, s...)
	}
	return append(b, '"')
}

// unescaped says whether JSON has the text as it is.
func unescaped(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
