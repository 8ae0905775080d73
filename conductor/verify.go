package conductor

import "github.com/ingot-metal/ingot"

// verifyPlan proves that the BMC answers, and reads what it says of the machine: manage.
func verifyPlan() Plan {
	define := defineGuest() // a guest's machine is made, where others are found
	define.State = ingot.Verifying
	return Plan{Steps: []Step{define, {Name: "power-state", State: ingot.Verifying, Class: Ensure, Timeout: verifyPatience, Do: lookAtPower}, readHardware()}}
}

// verifyPatience is how long a BMC may go without answering before manage fails.
const verifyPatience = exchangePatience
