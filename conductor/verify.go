package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// verifyPlan proves that the BMC answers: manage.
func verifyPlan() Plan {
	return Plan{Steps: []Step{{Name: "power-state", State: ingot.Verifying, Class: Ensure, Timeout: verifyPatience, Do: func(ctx context.Context, r *Run) (Progress, error) {
		var seen ingot.PowerState
		err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) (err error) {
			seen, err = m.PowerState(ctx)
			return err
		})
		if err != nil {
			return Progress{}, fmt.Errorf("cannot verify %s: %w", r.Node.Label(), err)
		}
		r.setPower(seen)
		return Holds(), nil
	}}}}
}

// verifyPatience is how long a BMC may go without answering before manage fails.
const verifyPatience = exchangePatience
