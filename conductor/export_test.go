package conductor

import (
	"github.com/ingot-metal/ingot"
)

// StepNames are the steps of every plan that this build has, by the operation's kind and the phase.
func (c *Conductor) StepNames() map[ingot.Kind]map[ingot.Phase][]string {
	all := map[ingot.Kind]map[ingot.Phase][]string{}
	for kind, plan := range c.plans {
		all[kind] = map[ingot.Phase][]string{}
		for _, phase := range []ingot.Phase{ingot.Forward, ingot.Abort, ingot.Cancel} {
			for _, step := range plan.of(phase) {
				all[kind][phase] = append(all[kind][phase], step.Name)
			}
		}
	}
	return all
}
