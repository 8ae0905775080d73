// Package configdrive builds and checks OpenStack config drives: a small ISO 9660 volume labelled config-2 from which
// cloud-init, ignition, cloudbase-init and glean read a machine's name, keys, network and user data at first boot.
//
// The same input gives the same bytes on every run, so that a repeated deploy writes the same drive.
package configdrive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Label is the volume label that tells a config drive of format version 2; readers look for nothing else.
const Label = "config-2"

// MaxSize is the largest config drive in bytes: the 64 MiB partition that is made for it on a disk (as Ironic's agent).
const MaxSize = 64 << 20

// Data is the JSON form of a config drive, as in the configdrive field of Ironic's provision request (API 1.56, with
// vendor_data since 1.59). Each field is optional; null is as absent.
type Data struct {
	// MetaData is a JSON object: uuid, name, hostname, public_keys, ...
	MetaData json.RawMessage `json:"meta_data,omitempty"`
	// UserData is a JSON string, which is written as the text that it holds, or a JSON object, written as JSON.
	UserData json.RawMessage `json:"user_data,omitempty"`
	// NetworkData is a JSON object in OpenStack's network_data.json format.
	NetworkData json.RawMessage `json:"network_data,omitempty"`
	// VendorData is a JSON object.
	VendorData json.RawMessage `json:"vendor_data,omitempty"`
}

// ErrInvalid is in every error about what the caller gave, as opposed to a failure of ours.
var ErrInvalid = errors.New("invalid config drive")

// Parse reads the JSON form and refuses unknown keys and values of the wrong kind.
func Parse(body []byte) (Data, error) {
	var d Data
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return Data{}, fmt.Errorf("%w: %w (allowed are meta_data, user_data, network_data and vendor_data)", ErrInvalid, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Data{}, fmt.Errorf("%w: more than one JSON value", ErrInvalid)
	}
	if _, err := d.files(); err != nil {
		return Data{}, err
	}
	return d, nil
}

// SetDefaults fills in what Ironic fills in: meta_data's uuid, and its name and hostname when the node has a name.
// What the caller gave is kept.
func (d *Data) SetDefaults(uuid, name string) error {
	meta := map[string]json.RawMessage{}
	if given(d.MetaData) {
		if err := json.Unmarshal(d.MetaData, &meta); err != nil {
			return fmt.Errorf("%w: meta_data is not a JSON object: %w", ErrInvalid, err)
		}
	}
	for key, value := range map[string]string{"uuid": uuid, "name": name, "hostname": name} {
		if _, have := meta[key]; have || value == "" {
			continue
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("cannot encode meta_data's %s: %w", key, err)
		}
		meta[key] = quoted
	}
	encoded, err := json.Marshal(meta)
	if err != nil {
		return fmt.Errorf("cannot encode meta_data: %w", err)
	}
	d.MetaData = encoded
	return nil
}

// Build makes the ISO 9660 image. Its files are those that Ironic writes through openstacksdk's baremetal.configdrive:
// the same set under openstack/latest and openstack/2012-08-10, with vendor data in vendor_data2.json (the
// vendor_data.json of Nova has another meaning to cloud-init, which would apply both).
func Build(d Data) ([]byte, error) {
	set, err := d.files()
	if err != nil {
		return nil, err
	}
	root := newDir("")
	for _, version := range []string{"2012-08-10", "latest"} {
		dir := root.dir("openstack").dir(version)
		for _, f := range set {
			dir.add(f)
		}
	}
	iso := root.image(Label)
	if len(iso) > MaxSize {
		return nil, fmt.Errorf("%w: it would be %d bytes, at most %d fit its partition", ErrInvalid, len(iso), MaxSize)
	}
	return iso, nil
}

// files lists the files of one version's folder, in order of their names.
func (d Data) files() ([]*node, error) {
	var out []*node
	meta := d.MetaData
	if !given(meta) {
		meta = json.RawMessage("{}")
	}
	for _, f := range []struct {
		key, name string
		value     json.RawMessage
	}{
		{"meta_data", "meta_data.json", meta},
		{"network_data", "network_data.json", d.NetworkData},
		{"vendor_data", "vendor_data2.json", d.VendorData},
	} {
		if !given(f.value) {
			continue
		}
		text, err := object(f.key, f.value)
		if err != nil {
			return nil, err
		}
		out = append(out, &node{name: f.name, data: text})
	}
	if !given(d.UserData) {
		return out, nil
	}
	text, err := userData(d.UserData)
	if err != nil || len(text) == 0 {
		return out, err
	}
	return append(out, &node{name: "user_data", data: text}), nil
}

// userData is the text of a JSON string, or a JSON object as it is.
func userData(value json.RawMessage) ([]byte, error) {
	var text string
	if err := json.Unmarshal(value, &text); err == nil {
		return []byte(text), nil
	}
	return object("user_data", value)
}

// object compacts value, which must be a JSON object.
func object(key string, value json.RawMessage) ([]byte, error) {
	var buf bytes.Buffer
	if err := json.Compact(&buf, value); err != nil {
		return nil, fmt.Errorf("%w: %s is not JSON: %w", ErrInvalid, key, err)
	}
	if buf.Bytes()[0] != '{' {
		return nil, fmt.Errorf("%w: %s is not a JSON object", ErrInvalid, key)
	}
	return buf.Bytes(), nil
}

// given tells whether a value is there and not null.
func given(value json.RawMessage) bool {
	trimmed := bytes.TrimSpace(value)
	return len(trimmed) > 0 && string(trimmed) != "null"
}
