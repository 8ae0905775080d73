package conductor

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// act carries out one action.
func (u *ruling) act(ctx context.Context, op string, args map[string]any) error {
	value, unique := args["value"], truth(args["unique"], "true")
	switch op {
	case "fail":
		return ingot.Errorf(ingot.Invalid, "Failed to inspect hardware. Reason: %s", pythonText(args["msg"]))
	case "log":
		return u.logLine(ctx, args)
	case "set-capability", "unset-capability":
		return u.setCapability(op, args)
	case "add-trait", "remove-trait":
		return u.setTrait(op, pythonText(args["name"]))
	case "set-plugin-data", "extend-plugin-data", "unset-plugin-data":
		return u.setPlugin(op, args)
	case "api-call":
		return u.call(ctx, args)
	}
	at, err := u.placeOf(op, args)
	switch {
	case err != nil:
	case strings.HasPrefix(op, "set-"):
		err = at.set(value)
	case strings.HasPrefix(op, "extend-"):
		err = at.extend(value, unique)
	default:
		err = at.remove()
	}
	if err != nil {
		return fmt.Errorf("cannot carry out %s of %v: %w", op, args["path"], err)
	}
	return u.nameIsFree(ctx, op, args["path"])
}

// placeOf finds what an attribute's action is about, on the node or on one of its ports.
func (u *ruling) placeOf(op string, args map[string]any) (place, error) {
	path, err := pathOf(args["path"])
	if err != nil {
		return place{}, err
	}
	if !strings.HasSuffix(op, "-port-attribute") {
		at := nodeAttribute(&u.node, path[0])
		if at == nil || path[0] == "traits" {
			return place{}, ingot.Errorf(ingot.Invalid, "rules cannot set %s of a node", path[0])
		}
		u.touched[path[0]] = true
		return place{at, path[1:]}, nil
	}
	id := pythonText(args["port_id"])
	i := slices.IndexFunc(u.ports, func(p ingot.Port) bool { return p.UUID == id })
	if i < 0 {
		return place{}, ingot.Errorf(ingot.Invalid, "Port %s could not be found.", id)
	}
	at := portAttribute(&u.ports[i], path[0])
	if at == nil {
		return place{}, ingot.Errorf(ingot.Invalid, "rules cannot set %s of a port", path[0])
	}
	u.portsSet[id] = true
	return place{at, path[1:]}, nil
}

// nameIsFree refuses a name that another node has: the commit of the whole inspection would fail on it.
func (u *ruling) nameIsFree(ctx context.Context, op string, path any) error {
	if op != "set-attribute" || path != "name" || u.node.Name == "" || u.node.Name == u.r.Node.Name {
		return nil
	}
	other, err := u.r.c.Nodes.Node(ctx, u.node.Name)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return nil
	case err == nil && other.UUID != u.node.UUID:
		return ingot.Errorf(ingot.Conflict, "A node with name %s already exists.", u.node.Name)
	}
	return err
}

func (u *ruling) logLine(ctx context.Context, args map[string]any) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError, "critical": slog.LevelError}
	name := "info"
	if text, given := args["level"].(string); given {
		name = strings.ToLower(text)
	}
	level, known := levels[name]
	if !known {
		return ingot.Errorf(ingot.Invalid, "Invalid log level: %s. Choose from critical, debug, error, info, warning", name)
	}
	u.r.c.Log.Log(ctx, level, pythonText(args["msg"]), "node", u.node.UUID)
	return nil
}

// setCapability keeps the capabilities in the form that Ironic gives them, "key:value,key:value".
func (u *ruling) setCapability(op string, args map[string]any) error {
	name := pythonText(args["name"])
	var kept []string
	for pair := range strings.SplitSeq(ingot.Text(u.node.Properties, "capabilities"), ",") {
		if key, _, _ := strings.Cut(pair, ":"); pair != "" && strings.TrimSpace(key) != name {
			kept = append(kept, pair)
		}
	}
	if op == "set-capability" {
		kept = append(kept, name+":"+pythonText(args["value"]))
	}
	u.touched["properties"] = true
	at := place{&u.node.Properties, []string{"capabilities"}}
	if len(kept) == 0 {
		if u.node.Properties["capabilities"] == nil {
			return nil
		}
		return at.remove()
	}
	return at.set(strings.Join(kept, ","))
}

func (u *ruling) setTrait(op, trait string) error {
	traits := slices.DeleteFunc(slices.Clone(u.node.Traits), func(t string) bool { return t == trait })
	if op == "add-trait" {
		traits = ingot.Traits(append(traits, trait))
		switch {
		case !ingot.ValidTrait(trait):
			return ingot.Errorf(ingot.Invalid, "Failed to add new trait %s: it is no trait", trait)
		case len(traits) > ingot.MaxTraits:
			return ingot.Errorf(ingot.Invalid, "Failed to add new trait %s: a node may have %d traits", trait, ingot.MaxTraits)
		}
	}
	u.node.Traits, u.touched["traits"] = traits, true
	return nil
}

// setPlugin changes what is kept beside the inventory. Taking the last thing out of an object takes the object too.
func (u *ruling) setPlugin(op string, args map[string]any) error {
	path, ok := args["path"].(string)
	if !ok || path == "" {
		return ingot.Errorf(ingot.Invalid, "path %v is no text", args["path"])
	}
	at := place{&u.plugin, strings.Split(path, ".")}
	var err error
	switch op {
	case "set-plugin-data":
		err = at.set(args["value"])
	case "extend-plugin-data":
		err = at.extend(args["value"], truth(args["unique"], "true"))
	default:
		if at.remove() != nil {
			u.r.c.Log.Warn("an inspection rule takes away plug-in data that is not there", "node", u.node.UUID, "path", path)
			return nil
		}
		pruneEmpty(u.plugin, at.path[:len(at.path)-1])
	}
	if err != nil {
		return fmt.Errorf("cannot carry out %s of %s: %w", op, path, err)
	}
	return nil
}

// pruneEmpty removes the object at the path if nothing is left in it.
func pruneEmpty(root map[string]any, path []string) {
	at := root
	for i, key := range path {
		next, _ := at[key].(map[string]any)
		if i == len(path)-1 && len(next) == 0 {
			delete(at, key)
		}
		at = next
	}
}

// call asks a URL (GET) and wants an answer below 400. A pass that is repeated asks it again.
func (u *ruling) call(ctx context.Context, args map[string]any) error {
	number := func(name string, otherwise float64) float64 {
		switch v := args[name].(type) {
		case float64:
			return v
		case string:
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				return f
			}
		}
		return otherwise
	}
	timeout := time.Duration(number("timeout", 5) * float64(time.Second))
	if timeout <= 0 {
		return ingot.Errorf(ingot.Invalid, "Invalid parameter: timeout must be greater than zero")
	}
	headers, _ := args["headers"].(map[string]any)
	url, err := pythonText(args["url"]), error(nil)
	for try := range int(number("retries", 3)) + 1 {
		wait := time.Duration(number("backoff_factor", 0.3) * math.Pow(2, float64(try-1)) * float64(time.Second))
		if try > 0 && !pause(ctx, wait) {
			return ctx.Err()
		}
		var again bool
		if again, err = get(ctx, url, headers, timeout); !again {
			break
		}
	}
	if err != nil {
		return ingot.Errorf(ingot.Invalid, "Request to %s failed: %w", url, err)
	}
	return nil
}

// get asks a URL once, and says whether its failure may pass.
func get(ctx context.Context, url string, headers map[string]any, timeout time.Duration) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	for name, v := range headers {
		req.Header.Set(name, pythonText(v))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return true, err
	}
	defer res.Body.Close()                                      //nolint:errcheck // only read
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // so that the connection can be used again
	if res.StatusCode < http.StatusBadRequest {
		return false, nil
	}
	return res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= http.StatusInternalServerError, fmt.Errorf("it answered %s", res.Status)
}
