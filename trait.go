package ingot

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
)

// MaxTraits is how many traits one node may have (Ironic: MAX_TRAITS_PER_NODE).
const MaxTraits = 50

// maxTraitLength is the longest name of a trait, in characters.
const maxTraitLength = 255

// traitNames are the standard traits, one a line and sorted: the names of os-traits 3.8, of August 2026. They are a list
// and not a rule, because the names follow none that tells HW_CPU_X86_VMX from a misspelling of it, and a misspelt trait is
// one that never matches. A name that is missing here can be had as CUSTOM_… until the list is renewed.
//
//go:embed traits.txt
var traitNames string

var customTrait = regexp.MustCompile(`^CUSTOM_[A-Z0-9_]+$`)

// ValidTrait says whether the name is a trait's: a standard one, or CUSTOM_ and capitals, digits and underscores (Ironic's
// TRAITS_SCHEMA).
func ValidTrait(name string) bool {
	if len(name) > maxTraitLength || name == "" {
		return false
	}
	return customTrait.MatchString(name) || !strings.Contains(name, "\n") && strings.Contains("\n"+traitNames, "\n"+name+"\n")
}

// Traits is a set of traits: sorted, each once.
func Traits(names []string) []string {
	set := slices.Clone(names)
	slices.Sort(set)
	return slices.Compact(set)
}

// Missing are the traits among wanted that are not among have, in their order.
func Missing(wanted, have []string) []string {
	var missing []string
	for _, trait := range wanted {
		if !slices.Contains(have, trait) {
			missing = append(missing, trait)
		}
	}
	return missing
}

// InstanceTraits are the traits that a deployment asks for: instance_info's traits, which an allocation also writes. False
// when what stands there is no list of strings.
func (n *Node) InstanceTraits() ([]string, bool) {
	switch list := n.InstanceInfo["traits"].(type) {
	case nil:
		return nil, true
	case []string:
		return list, true
	case []any:
		traits := make([]string, len(list))
		for i, item := range list {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			traits[i] = text
		}
		return traits, true
	}
	return nil, false
}
