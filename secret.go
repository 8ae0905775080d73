package ingot

import (
	"log/slog"
	"strings"
)

// Secret is text that must not be seen: it prints, logs and marshals as stars. Only Reveal gives the text.
type Secret string

// Stars is what stands for a secret wherever people look.
const Stars = "******"

// String is stars, whatever the secret.
func (s Secret) String() string { return Stars }

// GoString is stars, so that %#v tells nothing.
func (s Secret) GoString() string { return Stars }

// LogValue is stars (log/slog).
func (s Secret) LogValue() slog.Value { return slog.StringValue(Stars) }

// MarshalText is stars (encoding/json and others).
func (s Secret) MarshalText() ([]byte, error) { return []byte(Stars), nil }

// Reveal is the text itself: for the wire to a BMC or an agent, and for encryption at rest.
func (s Secret) Reveal() string { return string(s) }

// secretWords are the parts of a key's name that make its value a secret: those of oslo.utils' mask_dict_password as
// far as node fields meet them, and IPMI's KG key.
var secretWords = [...]string{"password", "passwd", "admin_pass", "new_pass", "secret", "token", "sys_pswd", "hex_kg_key", "private_key", "snmp_community", "configdrive"}

// SecretKey says whether a value stored under this key of driver_info, instance_info or driver_internal_info is a
// secret: encrypted at rest and shown as stars (Ironic masks the same keys).
func SecretKey(key string) bool {
	key = strings.ToLower(key)
	for _, word := range secretWords {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// Seal gives a copy of m, to any depth, in which the strings under secret keys are Secrets.
func Seal(m map[string]any) map[string]any {
	return mapValues(m, func(key string, v any) any {
		if text, ok := v.(string); ok && SecretKey(key) {
			return Secret(text)
		}
		return v
	})
}

// mapValues copies m with every value that is not a map replaced by change's answer.
func mapValues(m map[string]any, change func(key string, v any) any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for key, v := range m {
		if inner, ok := v.(map[string]any); ok {
			out[key] = mapValues(inner, change)
			continue
		}
		out[key] = change(key, v)
	}
	return out
}

// Text is the string under key in m, a Secret's text included; "" when it is missing or not text.
func Text(m map[string]any, key string) string {
	switch v := m[key].(type) {
	case string:
		return v
	case Secret:
		return v.Reveal()
	}
	return ""
}
