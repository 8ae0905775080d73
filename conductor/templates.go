package conductor

import (
	"context"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Templates are the store's deploy templates.
type Templates interface {
	List(ctx context.Context, query ingot.TemplateQuery) ([]ingot.DeployTemplate, error)
}

// templateSteps are the steps of the templates whose names are among the traits that the deployment asks for. No two
// templates may bring the same step (Ironic: _validate_deploy_steps_unique).
func (c *Conductor) templateSteps(ctx context.Context, kind string, n *ingot.Node) ([]ingot.OperationStep, error) {
	traits, _ := n.InstanceTraits() // the deploy was refused if they are none
	if c.Templates == nil || kind != "deploy" || len(traits) == 0 {
		return nil, nil
	}
	templates, err := c.Templates.List(ctx, ingot.TemplateQuery{Names: traits, Page: ingot.Page{Limit: -1}})
	if err != nil {
		return nil, err
	}
	var steps []ingot.OperationStep
	from := map[string]string{}
	for _, template := range templates {
		for _, given := range template.Steps {
			step := askedStep(given, "template")
			name := step.Interface + "." + step.Step
			if other, twice := from[name]; twice {
				return nil, ingot.Fatalf("Validation of deploy steps from deploy templates matching this node's instance traits failed. Matching deploy templates: %s. "+
					"Errors: Duplicate deploy steps for %s: templates %s and %s both have it", strings.Join(templateNames(templates), ","), name, other, template.Name)
			}
			from[name] = template.Name
			steps = append(steps, step)
		}
	}
	return steps, nil
}

func templateNames(templates []ingot.DeployTemplate) []string {
	names := make([]string, len(templates))
	for i, t := range templates {
		names[i] = t.Name
	}
	return names
}
