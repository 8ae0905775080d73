package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// secrets are the texts of a row that are encrypted at rest, by their place: the column and the keys below it, joined
// with slashes as in a JSON pointer (RFC 6901).
type secrets map[string]string

func (s secrets) equal(other secrets) bool { return maps.Equal(s, other) }

var (
	pointerEscape   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")
)

func splitPath(path string) []string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = pointerUnescape.Replace(p)
	}
	return parts
}

// document is a column with free JSON. Every ingot.Secret in it is kept apart, to any depth; and where byKey is set, so
// is every text at or below a key that ingot.SecretKey names. They come back as ingot.Secret, and all else as
// encoding/json gives it, save that integers too large for a float64 come back as json.Number.
type document struct {
	at    *map[string]any
	byKey bool
}

// Scan takes JSON or NULL.
func (d document) Scan(src any) error {
	*d.at = nil
	data, err := bytesOf(src)
	if err != nil || data == nil {
		return err
	}
	if !hasLongNumber(data) && json.Unmarshal(data, d.at) == nil {
		return nil
	}
	*d.at = nil
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(d.at); err != nil {
		return err
	}
	for key, v := range *d.at {
		(*d.at)[key] = plainNumbers(v)
	}
	return nil
}

// hasLongNumber says whether a number in the text may have more digits than a float64 keeps; without one, decoding needs no
// second look at the numbers.
func hasLongNumber(data []byte) bool {
	const kept = 15
	digits := 0
	for _, c := range data {
		if digits++; c < '0' || c > '9' {
			digits = 0
		}
		if digits > kept {
			return true
		}
	}
	return false
}

// plainNumbers turns json.Numbers into float64 where that loses nothing.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil || math.Abs(f) > 1<<53 && !strings.ContainsAny(string(v), ".eE") {
			return v
		}
		return f
	case map[string]any:
		for key, inner := range v {
			v[key] = plainNumbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = plainNumbers(inner)
		}
	}
	return v
}

func (d document) value(name string, s secrets) (any, error) {
	if *d.at == nil {
		return nil, nil
	}
	plain, err := hider{byKey: d.byKey, out: s}.hide(*d.at, name, false)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	return string(data), nil
}

// reveal puts a secret back to where hide left null.
func (d document) reveal(path []string, text string) {
	if len(path) == 0 || *d.at == nil {
		return
	}
	var at any = *d.at
	for i, key := range path {
		last := i == len(path)-1
		switch v := at.(type) {
		case map[string]any:
			if last {
				v[key] = ingot.Secret(text)
			}
			at = v[key]
		case []any:
			n, err := strconv.Atoi(key)
			if err != nil || n < 0 || n >= len(v) {
				return
			}
			if last {
				v[n] = ingot.Secret(text)
			}
			at = v[n]
		default:
			return
		}
	}
}

// hider copies JSON-like values with the secrets replaced by null and put into out.
type hider struct {
	byKey bool
	out   secrets
}

func (h hider) hide(v any, path string, secret bool) (any, error) {
	switch v := v.(type) {
	case nil, bool, float64, int, int64, json.Number:
		return v, nil
	case ingot.Secret:
		h.out[path] = v.Reveal()
		return nil, nil
	case string:
		if secret {
			h.out[path] = v
			return nil, nil
		}
		return v, nil
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, inner := range v {
			hidden, err := h.hide(inner, path+"/"+pointerEscape.Replace(key), secret || h.byKey && ingot.SecretKey(key))
			if err != nil {
				return nil, err
			}
			copied[key] = hidden
		}
		return copied, nil
	case []any:
		copied := make([]any, len(v))
		for i, inner := range v {
			hidden, err := h.hide(inner, path+"/"+strconv.Itoa(i), secret)
			if err != nil {
				return nil, err
			}
			copied[i] = hidden
		}
		return copied, nil
	}
	return h.hideTyped(v, path, secret)
}

// hideTyped is hide for what is neither a map[string]any nor a []any but will be JSON all the same.
func (h hider) hideTyped(v any, path string, secret bool) (any, error) {
	at := reflect.ValueOf(v)
	switch kind := at.Kind(); {
	case kind == reflect.String:
		return h.hide(at.String(), path, secret)
	case (kind == reflect.Map || kind == reflect.Slice || kind == reflect.Pointer) && at.IsNil():
		return nil, nil
	case kind == reflect.Map && at.Type().Key().Kind() == reflect.String:
		plain := make(map[string]any, at.Len())
		for _, key := range at.MapKeys() {
			plain[key.String()] = at.MapIndex(key).Interface()
		}
		return h.hide(plain, path, secret)
	case kind == reflect.Slice && at.Type().Elem().Kind() != reflect.Uint8:
		plain := make([]any, at.Len())
		for i := range plain {
			plain[i] = at.Index(i).Interface()
		}
		return h.hide(plain, path, secret)
	}
	if holdsSecret(at.Type(), 0) {
		return nil, fmt.Errorf("%s is a %T with a Secret in it, of which JSON would keep only stars: use a map", path, v)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	return h.hide(plain, path, secret)
}

// holdsSecret says whether a value of the type has an ingot.Secret somewhere in its fields.
func holdsSecret(t reflect.Type, depth int) bool {
	if t == reflect.TypeFor[ingot.Secret]() {
		return true
	}
	if depth > 8 { // a type that holds itself
		return false
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsSecret(t.Elem(), depth+1)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsSecret(t.Field(i).Type, depth+1) {
				return true
			}
		}
	}
	return false
}
