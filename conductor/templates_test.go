package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// template creates a deploy template with one step.
func (w *world) template(name, step string, priority int, args map[string]any) {
	w.t.Helper()
	require.NoError(w.t, w.store.Templates().Create(w.t.Context(), &ingot.DeployTemplate{Name: name, Steps: []map[string]any{
		{"interface": "deploy", "step": step, "priority": float64(priority), "args": args},
	}}))
}

// traited is an available node that is to be deployed with the traits.
func (w *world) traited(traits ...string) ingot.Node {
	w.t.Helper()
	asked := make([]any, len(traits))
	for i, trait := range traits {
		asked[i] = trait
	}
	return w.change(w.node(ingot.Available).UUID, func(n *ingot.Node) {
		n.Traits, n.InstanceInfo = ingot.Traits(traits), map[string]any{"traits": asked}
	})
}

// frozen are the steps of the node's last operation.
func (w *world) frozen(id string) []ingot.OperationStep {
	w.t.Helper()
	ops, err := w.store.Operations(w.t.Context(), id, 1)
	require.NoError(w.t, err)
	steps, err := w.store.Steps(w.t.Context(), ops[0].UUID)
	require.NoError(w.t, err)
	return steps
}

func withTemplates(w *world) func(*conductor.Conductor) {
	return func(c *conductor.Conductor) { c.Templates = w.store.Templates() }
}

// TestTemplatesOfTheTraitsAskedFor: a template's step is frozen between the plan's, with its arguments, and the agent
// carries it out; templates of other traits stay out.
func TestTemplatesOfTheTraitsAskedFor(t *testing.T) {
	w := newWorld(t)
	w.start(withTemplates(w))
	w.template("CUSTOM_ERASE", "erase_devices_metadata", 70, map[string]any{"password": "hidden", "x": 1.0})
	w.template("CUSTOM_OTHER", "no_such_step", 50, nil)
	n := w.traited("CUSTOM_ERASE", "CUSTOM_WITHOUT_TEMPLATE")
	w.ask(n.UUID, ingot.VerbActive)
	w.until(n.UUID, ingot.Active)
	steps := w.frozen(n.UUID)
	require.Len(t, steps, 3)
	require.Equal(t, "write_image", steps[0].Step)
	require.Equal(t, ingot.OperationStep{
		Position: 1, Interface: "deploy", Step: "erase_devices_metadata", Priority: 70, Source: "template", State: ingot.StepDone, Attempt: 1,
		Args: map[string]any{"password": ingot.Secret("hidden"), "x": 1.0},
	}, steps[1])
	require.Equal(t, 1, w.count("agent deploy.execute_deploy_step"))
}

// TestTheUsersStepsComeBeforeTemplates: and templates before the defaults, which they can also turn off.
func TestTheUsersStepsComeBeforeTemplates(t *testing.T) {
	w := newWorld(t)
	w.start(withTemplates(w))
	w.template("CUSTOM_ERASE", "erase_devices_metadata", 70, nil)
	w.template("CUSTOM_NO_BOOT_ENTRY", "prepare_instance_boot", 0, nil)
	n := w.traited("CUSTOM_ERASE", "CUSTOM_NO_BOOT_ENTRY")
	require.NoError(t, w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbActive, DeploySteps: []map[string]any{
		{"interface": "deploy", "step": "erase_devices_metadata", "priority": "90", "args": map[string]any{}},
		{"interface": "deploy", "step": "write_image", "priority": 85.0, "args": map[string]any{}},
	}}))
	w.until(n.UUID, ingot.Active)
	steps := w.frozen(n.UUID)
	require.Len(t, steps, 2)
	require.Equal(t, []any{"erase_devices_metadata", 90, "user"}, []any{steps[0].Step, steps[0].Priority, steps[0].Source})
	require.Equal(t, []any{"write_image", 85, "plan"}, []any{steps[1].Step, steps[1].Priority, steps[1].Source})
	require.Equal(t, 1, w.count("agent standby.prepare_image"), "the plan's own step stays the plan's, whoever moves it")
}

func TestTemplatesThatCannotBeCarriedOut(t *testing.T) {
	w := newWorld(t)
	w.start(withTemplates(w))
	w.template("CUSTOM_A", "erase_devices_metadata", 70, nil)
	w.template("CUSTOM_B", "erase_devices_metadata", 60, nil)
	w.template("CUSTOM_C", "no_such_step", 60, nil)
	w.template("CUSTOM_D", "write_image", 60, map[string]any{"x": 1.0})
	for trait, complaint := range map[string]string{
		"CUSTOM_B": "Duplicate deploy steps for deploy.erase_devices_metadata: templates CUSTOM_A and CUSTOM_B both have it",
		"CUSTOM_C": "cannot carry out step deploy.no_such_step", "CUSTOM_D": "step deploy.write_image has these unexpected arguments: [x]",
	} {
		n := w.traited("CUSTOM_A", trait)
		w.ask(n.UUID, ingot.VerbActive)
		require.Contains(t, w.until(n.UUID, ingot.DeployFailed).LastError, complaint)
	}
}
