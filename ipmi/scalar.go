package ipmi

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// scalar is a value of driver_info as text: JSON leaves open whether a port is 6230 or "6230".
func scalar(info map[string]any, key string) string {
	switch v := info[key].(type) {
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	}
	return ingot.Text(info, key) // untrimmed: a password may end in a space
}

// boolean reads the words that oslo.utils' bool_from_string takes, which Ironic uses.
func boolean(info map[string]any, key string, otherwise bool) (bool, error) {
	switch text := strings.ToLower(scalar(info, key)); text {
	case "":
		return otherwise, nil
	case "1", "t", "true", "on", "y", "yes":
		return true, nil
	case "0", "f", "false", "off", "n", "no":
		return false, nil
	default:
		return otherwise, ingot.Errorf(ingot.Invalid, "%s must be true or false, not %q", key, text)
	}
}
