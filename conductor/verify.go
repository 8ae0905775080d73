package conductor

import "github.com/ingot-metal/ingot"

// verifyPlan proves that the BMC answers: manage.
func verifyPlan() Plan {
	return Plan{Steps: []Step{{Name: "power-state", State: ingot.Verifying, Class: Ensure, Timeout: verifyPatience, Do: lookAtPower}}}
}

// verifyPatience is how long a BMC may go without answering before manage fails.
const verifyPatience = exchangePatience
