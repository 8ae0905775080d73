package api

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
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
		return appendText(b, v)
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
		return appendMap(b, v, appendText)
	case []any:
		return appendList(b, v, appendJSON)
	case []string:
		return appendList(b, v, appendText)
	case []map[string]any:
		return appendList(b, v, func(b []byte, m map[string]any) ([]byte, error) { return appendMap(b, m, appendJSON) })
	case []map[string]string:
		return appendList(b, v, func(b []byte, m map[string]string) ([]byte, error) { return appendMap(b, m, appendText) })
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
		if b, err = appendText(b, key); err != nil {
			return b, err
		}
		if b, err = value(append(b, ':'), m[key]); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
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

// appendText writes plain ASCII as it is; what has to be escaped goes to encoding/json.
func appendText(b []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			return append(b, text...), err
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}
