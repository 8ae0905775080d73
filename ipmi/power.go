package ipmi

import (
	"strings"

	"github.com/ingot-metal/ingot"
)

// powerState reads a provider's word: "on" of ours, "Chassis Power is on" of ipmitool.
func powerState(word string) ingot.PowerState {
	switch fields := strings.Fields(strings.ToLower(word)); {
	case len(fields) > 0 && fields[len(fields)-1] == "on":
		return ingot.PowerOn
	case len(fields) > 0 && fields[len(fields)-1] == "off":
		return ingot.PowerOff
	}
	return ingot.PowerError
}
