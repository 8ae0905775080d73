package api

import (
	"context"
	"net/http"

	"github.com/ingot-metal/ingot"
)

// Consoles lets people connect to the consoles of nodes.
type Consoles interface {
	// ConsoleInfo is nil when the console is not on.
	ConsoleInfo(ctx context.Context, node ingot.Node) (map[string]any, error)
	// SetConsole goes on after the answer; a node without a console is Unsupported at once.
	SetConsole(ctx context.Context, node ingot.Node, on bool) error
}

// showConsole is GET /v1/nodes/{node}/states/console.
func showConsole(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	info, err := r.api.Consoles.ConsoleInfo(r.Context(), node)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	body := map[string]any{"console_enabled": info != nil, "console_info": nil}
	if info != nil {
		body["console_info"] = info
	}
	return response{body: body}, nil
}

// setConsole is PUT /v1/nodes/{node}/states/console.
func setConsole(r *request) (response, error) {
	a := r.args("enabled")
	a.need("enabled")
	enabled := a.flag("enabled")
	if a.err == nil && enabled == nil {
		a.fail(ingot.Errorf(ingot.Invalid, "Missing mandatory parameter: enabled"))
	}
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if err := r.api.Consoles.SetConsole(r.Context(), node, *enabled); err != nil {
		return response{}, bmcFailure(err)
	}
	return response{status: http.StatusAccepted, location: "nodes/" + r.param("node") + "/states/console"}, nil
}
