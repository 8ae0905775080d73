package store_test

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/ingot-metal/ingot"
)

// decode reads one JSON value with its numbers as they were written.
func decode(text string, into any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// plain is v as JSON with the texts of secrets, and with numbers as a float64 has them where it can.
func plain(v any) string {
	data, err := json.Marshal(reveal(v))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func reveal(v any) any {
	switch v := v.(type) {
	case ingot.Secret:
		return v.Reveal()
	case json.Number:
		if f, err := v.Float64(); err == nil && f < 1<<53 && f > -(1<<53) {
			return f
		}
		if f, err := v.Float64(); err == nil && bytes.ContainsAny([]byte(v), ".eE") {
			return f
		}
		return v
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			out[key] = reveal(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = reveal(inner)
		}
		return out
	}
	return v
}
