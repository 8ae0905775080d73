package command

import (
	"encoding/json"
	"net/url"
	"strings"

	ingot "github.com/ingot-metal/ingot"
)

// Elided stands for a value that is listed without its content.
const Elided = "<...>"

// elided are parameters that are large, secret or both, and known to whoever sent them.
var elided = [...]string{"node", "ports", "configdrive", "rescue_password", "image_request_authorization", "authorization"}

// redact is params as they are listed. Recent ironic-python-agent lists none; Ingot finds its own command again by the
// image's ID and the step's keys in them.
func redact(params Params) map[string]any {
	out := make(map[string]any, len(params))
	for name, raw := range params {
		if isElided(name) {
			out[name] = Elided
			continue
		}
		var v any
		if m, err := object(raw); err == nil && m != nil {
			v = Redact(m)
		} else if json.Unmarshal(raw, &v) != nil {
			v = Elided
		} else {
			v = Redact(v)
		}
		if ingot.SecretKey(name) {
			v = ingot.Stars
		}
		out[name] = v
	}
	return out
}

// Redact is v with secret and large values, at any depth, replaced. v itself is not changed.
func Redact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			switch {
			case isElided(name) && inner != nil:
				out[name] = Elided
			case ingot.SecretKey(name):
				out[name] = ingot.Stars
			default:
				out[name] = Redact(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = Redact(inner)
		}
		return out
	case string:
		return withoutSignature(v)
	}
	return v
}

// withoutSignature is a URL without what gives access: user, password and query (a temporary URL's signature).
func withoutSignature(text string) string {
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return Elided
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

func isElided(name string) bool {
	for _, e := range elided {
		if strings.EqualFold(e, name) {
			return true
		}
	}
	return false
}
