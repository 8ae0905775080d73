package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Indicators sees and switches the lights of nodes while the client waits.
type Indicators interface {
	Indicators(ctx context.Context, node ingot.Node) ([]ingot.Indicator, error)
	// Indicator is Invalid for a light that the node has not.
	Indicator(ctx context.Context, node ingot.Node, component, name string) (ingot.IndicatorState, error)
	SetIndicator(ctx context.Context, node ingot.Node, component, name string, state ingot.IndicatorState) error
}

// listIndicators is GET /v1/nodes/{node}/management/indicators. A light's name on the wire says where it is.
func listIndicators(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	lights, err := r.api.Indicators.Indicators(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	items := make([]map[string]any, len(lights))
	for i, l := range lights {
		name := l.Name + "@" + l.Component
		items[i] = map[string]any{
			"name": name, "component": l.Component, "readonly": l.ReadOnly, "states": l.States,
			"links": r.links("nodes/" + r.param("node") + "/management/indicators/" + name),
		}
	}
	return response{body: map[string]any{"indicators": items}}, nil
}

// showIndicator is GET /v1/nodes/{node}/management/indicators/{name}@{component}.
func showIndicator(r *request) (response, error) {
	node, component, name, err := r.indicator()
	if err != nil {
		return response{}, err
	}
	state, err := r.api.Indicators.Indicator(r.Context(), node, component, name)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	return response{body: map[string]any{"state": state}}, nil
}

// setIndicator is PUT /v1/nodes/{node}/management/indicators/{name}@{component}.
func setIndicator(r *request) (response, error) {
	a := r.args("state")
	a.need("state")
	state := ingot.IndicatorState(a.text("state"))
	if a.err != nil {
		return response{}, a.err
	}
	node, component, name, err := r.indicator()
	if err != nil {
		return response{}, err
	}
	switch state {
	case ingot.IndicatorOn, ingot.IndicatorOff, ingot.IndicatorBlinking:
	default:
		return response{}, ingot.Errorf(ingot.Invalid, "Invalid indicator state %s specified.", state)
	}
	if err := r.api.Indicators.SetIndicator(r.Context(), node, component, name, state); err != nil {
		return response{}, bmcFailure(err)
	}
	return response{status: http.StatusNoContent}, nil
}

// indicator reads a light's name out of the path, and finds its node.
func (r *request) indicator() (node ingot.Node, component, name string, err error) {
	unique := r.param("indicator")
	name, component, ok := strings.Cut(unique, "@")
	if !ok {
		return node, "", "", ingot.Errorf(ingot.Invalid, `Malformed indicator name "%s"`, unique)
	}
	node, err = r.node()
	return node, component, name, err
}
