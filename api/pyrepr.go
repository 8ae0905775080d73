package api

import (
	"strings"

	"github.com/ingot-metal/ingot"
)

// repr writes a JSON value as Python does, for the sentences of Ironic that quote what the client sent. Secrets are stars.
func repr(v any) string {
	return ingot.Repr(v, func(key string, value any) any {
		if _, text := value.(string); text && ingot.SecretKey(key) {
			return ingot.Stars
		}
		return value
	})
}

// reprWords is a list of words in quotes, without brackets.
func reprWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = ingot.ReprString(word)
	}
	return strings.Join(quoted, ", ")
}
