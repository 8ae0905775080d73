package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// text is a column of text.
type text string

// Scan takes a column of text.
func (t *text) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*t = text(v)
	case []byte:
		*t = text(v)
	case nil:
		*t = ""
	default:
		return fmt.Errorf("cannot read %T as text", src)
	}
	return nil
}

func (t *text) value(string, secrets) (any, error) { return clean(string(*t)), nil }

// clean leaves out what PostgreSQL refuses in text: NUL and bytes that are not UTF-8. A BMC's error may hold either.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// number is a column with an integer.
type number int64

// Scan takes an integer.
func (n *number) Scan(src any) error {
	v, err := integer(src)
	*n = number(v)
	return err
}

func (n *number) value(string, secrets) (any, error) { return int64(*n), nil }

// whole is number for a Go int.
type whole int

// Scan takes an integer.
func (w *whole) Scan(src any) error {
	v, err := integer(src)
	*w = whole(v)
	return err
}

func (w *whole) value(string, secrets) (any, error) { return int64(*w), nil }

func integer(src any) (int64, error) {
	switch v := src.(type) {
	case int64:
		return v, nil
	case nil:
		return 0, nil
	}
	return 0, fmt.Errorf("cannot read %T as an integer", src)
}

// flag is a column that is true or false.
type flag bool

// Scan takes true or false, or 1 or 0.
func (f *flag) Scan(src any) error {
	switch v := src.(type) {
	case bool:
		*f = flag(v)
	case int64:
		*f = v != 0
	default:
		return fmt.Errorf("cannot read %T as true or false", src)
	}
	return nil
}

func (f *flag) value(string, secrets) (any, error) { return bool(*f), nil }

// choice is a column that is true, false or NULL.
type choice struct{ at **bool }

// Scan takes true, false or NULL.
func (c choice) Scan(src any) error {
	if src == nil {
		*c.at = nil
		return nil
	}
	var f flag
	err := f.Scan(src)
	*c.at = (*bool)(&f)
	return err
}

func (c choice) value(string, secrets) (any, error) {
	if *c.at == nil {
		return nil, nil
	}
	return **c.at, nil
}

// moment is a column with a time: microseconds since 1970, UTC; 0 is the zero time.
type moment time.Time

// Scan takes microseconds.
func (m *moment) Scan(src any) error {
	v, err := integer(src)
	*m = moment(fromMicros(v))
	return err
}

func (m *moment) value(string, secrets) (any, error) { return micros(time.Time(*m)), nil }

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

// record is a column with a value of a fixed type as JSON; NULL is its zero value.
type record[T any] struct {
	at *T
	// hide takes the secrets out of a copy and give puts one back; nil where there are none.
	hide func(copy *T, name string, s secrets)
	give func(at *T, path []string, text string)
}

// Scan takes JSON or NULL.
func (r record[T]) Scan(src any) error {
	var zero T
	*r.at = zero
	data, err := bytesOf(src)
	if err != nil || data == nil {
		return err
	}
	return json.Unmarshal(data, r.at)
}

func (r record[T]) value(name string, s secrets) (any, error) {
	v := *r.at
	if r.hide != nil {
		r.hide(&v, name, s)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(data, []byte("{}")) || bytes.Equal(data, []byte("null")) {
		return nil, nil
	}
	return string(data), nil
}

func (r record[T]) reveal(path []string, text string) {
	if r.give != nil {
		r.give(r.at, path, text)
	}
}

func bytesOf(src any) ([]byte, error) {
	switch v := src.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	}
	return nil, fmt.Errorf("cannot read %T as JSON", src)
}

func fromDuration(micros int64) time.Duration { return time.Duration(micros) * time.Microsecond }
