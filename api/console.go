package api

import (
	"context"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Consoles lets people connect to the consoles of nodes.
type Consoles interface {
	// ConsoleInfo is nil when the console is not on.
	ConsoleInfo(ctx context.Context, node ingot.Node) (map[string]any, error)
	// SetConsole goes on after the answer; a node without a console is Unsupported at once.
	SetConsole(ctx context.Context, node ingot.Node, on bool) error
	// OpenConsole joins the serial console: reads wait for what the machine says. Conflict: it is not enabled, the machine
	// is off, or somebody is there and force was not asked for.
	OpenConsole(ctx context.Context, node ingot.Node, force bool) (io.ReadWriteCloser, error)
	// ConsoleLog gives at most the last most bytes of what the machine said.
	ConsoleLog(ctx context.Context, node ingot.Node, most int64) ([]byte, error)
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
		body["console_info"] = r.reachable(info)
	}
	return response{body: body}, nil
}

// reachable completes the URL of a console that this API serves itself, which drivers give as a path.
func (r *request) reachable(info map[string]any) map[string]any {
	path, _ := info["url"].(string)
	if !strings.HasPrefix(path, "/v1/") {
		return info
	}
	whole := maps.Clone(info)
	whole["url"] = "ws" + strings.TrimPrefix(r.publicURL(), "http") + path
	return whole
}

// mostLog bounds a console's log in one answer, in bytes.
const mostLog = 16 << 20

// showConsoleLog is GET /v1/nodes/{node}/console/log, which Ironic has not: what the node said on its serial console, as
// it said it. ?bytes= asks for no more than so many of the last ones.
func showConsoleLog(r *request) (response, error) {
	a := r.args("bytes")
	most, given := int64(1<<20), a.text("bytes")
	if a.err != nil {
		return response{}, a.err
	}
	if a.has("bytes") {
		n, err := strconv.ParseInt(given, 10, 64)
		if err != nil || n < 1 || n > mostLog {
			return response{}, ingot.Errorf(ingot.Invalid, "bytes is %s: give a whole number from 1 to %d", repr(given), mostLog)
		}
		most = n
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	said, err := r.api.Consoles.ConsoleLog(r.Context(), node, most)
	if err != nil {
		return response{}, bmcFailure(err)
	}
	return response{stream: func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(said) // a client that has gone away needs no answer
	}}, nil
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
