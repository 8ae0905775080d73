package api

import "github.com/ingot-metal/ingot"

// maskSecrets puts stars over the values under secret keys, to any depth.
func maskSecrets(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			switch item.(type) {
			case nil, map[string]any, []any:
				out[key] = maskSecrets(item)
			default:
				out[key] = item
				if ingot.SecretKey(key) || key == "snmp_auth_key" || key == "snmp_priv_key" {
					out[key] = ingot.Stars
				}
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = maskSecrets(item)
		}
		return out
	}
	return v
}

// maskInstance also hides the config drive, and the image's URL, which may be signed.
func maskInstance(v any) any {
	masked, ok := maskSecrets(v).(map[string]any)
	if !ok {
		return map[string]any{}
	}
	for _, key := range []string{"configdrive", "image_url"} {
		if set, ok := masked[key]; ok && set != nil && set != "" {
			masked[key] = ingot.Stars
		}
	}
	return masked
}
