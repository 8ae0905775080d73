package store

import (
	"encoding/json"
	"strconv"
)

// objects is a column with a list of JSON objects, each kept as a document is; an empty list is NULL.
type objects struct {
	at    *[]map[string]any
	byKey bool
}

// Scan takes JSON or NULL.
func (o objects) Scan(src any) error {
	*o.at = nil
	data, err := bytesOf(src)
	if err != nil || data == nil {
		return err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	list := make([]map[string]any, len(items))
	for i, item := range items {
		if err := (document{&list[i], o.byKey}).Scan([]byte(item)); err != nil {
			return err
		}
	}
	*o.at = list
	return nil
}

func (o objects) value(name string, s secrets) (any, error) {
	if len(*o.at) == 0 {
		return nil, nil
	}
	items := make([]json.RawMessage, len(*o.at))
	for i := range *o.at {
		text, err := document{&(*o.at)[i], o.byKey}.value(name+"/"+strconv.Itoa(i), s)
		if err != nil {
			return nil, err
		}
		plain, isText := text.(string)
		if !isText {
			plain = "{}"
		}
		items[i] = json.RawMessage(plain)
	}
	data, err := json.Marshal(items)
	return string(data), err
}

// reveal puts a secret back into one of the objects.
func (o objects) reveal(path []string, text string) {
	if len(path) == 0 {
		return
	}
	if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(*o.at) {
		document{&(*o.at)[i], o.byKey}.reveal(path[1:], text)
	}
}
