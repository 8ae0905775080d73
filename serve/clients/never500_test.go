package clients_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestNever500: whatever is sent to any route, in any version, is answered as the client's fault or carried out.
func TestNever500(t *testing.T) {
	t.Parallel()
	s := start(t)
	furnish(t, s)
	handler := s.API.Handler()
	patterns := s.API.Patterns()
	require.Greater(t, len(patterns), 70)
	slices.SortStableFunc(patterns, func(a, b string) int { // what is deleted cannot be tried
		return cmp.Compare(strings.Index(a, "DELETE"), strings.Index(b, "DELETE"))
	})
	g := &nonsense{words: s.words(t)}
	for _, pattern := range patterns {
		if pattern == "GET /v1/events" || pattern == "GET /metrics" {
			continue // they answer without end, or not in JSON
		}
		t.Run(pattern, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { g.try(rt, handler, pattern) })
		})
	}
}

// try sends one request to a route.
func (g *nonsense) try(t *rapid.T, handler http.Handler, pattern string) {
	r := g.request(t, pattern)
	body := g.body(t, r.Method, pattern)
	r.Body, r.ContentLength = noClose{strings.NewReader(body)}, int64(len(body))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r.WithContext(t.Context()))
	if w.Code >= http.StatusInternalServerError {
		t.Fatalf("%s %s in %s with %s: %d %s", r.Method, r.URL, r.Header.Get("X-OpenStack-Ironic-API-Version"), body, w.Code, w.Body)
	}
	if text := w.Body.Bytes(); len(text) > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && !json.Valid(text) {
		t.Fatalf("%s %s: the answer is no JSON: %s", r.Method, r.URL, text)
	}
}

type noClose struct{ *strings.Reader }

func (noClose) Close() error { return nil }

// nonsense makes requests that are nearly right.
type nonsense struct {
	words []string // fields and parameters that the service knows
}

var parameter = regexp.MustCompile(`\{[a-z_*]+\}`)

// things are those that are there, by the parameter of paths that names them.
func things() map[string][]string {
	all := map[string][]string{
		"{node}": {}, "{port}": {uuid(21), "p1"}, "{portgroup}": {uuid(22), "pg1"}, "{chassis}": {uuid(20)}, "{connector}": {uuid(23)}, "{target}": {uuid(24)},
		"{template}": {uuid(25), "CUSTOM_A"}, "{runbook}": {uuid(26), "CUSTOM_B"}, "{rule}": {uuid(27)}, "{allocation}": {uuid(28), "al1"},
		"{driver}": {"fake-hardware", "ipmi"}, "{trait}": {"CUSTOM_X", "HW_CPU_X86_VMX"}, "{indicator}": {"led@system"},
	}
	for n := 1; n <= 12; n++ {
		all["{node}"] = append(all["{node}"], uuid(n))
	}
	return all
}

// names are what may stand in a path: things that are there, and others.
func names() []string {
	list := []string{"nosuch", "detail", "n1", "p1", "pg1", "al1", "CUSTOM_A", "CUSTOM_B", "fake-hardware", "led@system", "a b", "%", "..", "\x00", "ü", strings.Repeat("x", 300), "first_method"}
	for n := 1; n < 30; n++ {
		list = append(list, uuid(n))
	}
	return list
}

func (g *nonsense) request(t *rapid.T, pattern string) *http.Request {
	method, path, _ := strings.Cut(pattern, " ")
	path = parameter.ReplaceAllStringFunc(path, func(p string) string {
		name := rapid.SampledFrom(names())
		if there, ok := things()[p]; ok && rapid.IntRange(0, 4).Draw(t, "there") > 0 {
			name = rapid.SampledFrom(there)
		}
		return url.PathEscape(name.Draw(t, "name"))
	})
	query := url.Values{}
	for range max(0, rapid.IntRange(-3, 2).Draw(t, "parameters")) {
		query.Add(g.word(t), rapid.OneOf(rapid.SampledFrom([]string{"", "true", "1", "x", "uuid,name", uuid(1), "desc", "-1", "99999999999999999999"}), rapid.String()).Draw(t, "value"))
	}
	target, err := url.Parse("http://service" + path + "?" + query.Encode())
	if err != nil {
		t.Fatalf("cannot make a URL: %v", err)
	}
	r := &http.Request{Method: method, URL: target, Header: http.Header{}, Host: "service", RemoteAddr: "192.0.2.1:1"}
	r.Header.Set("X-OpenStack-Ironic-API-Version", rapid.SampledFrom([]string{"1.115", "1.115", "1.115", "1.1", "1.50", "1.92", "latest"}).Draw(t, "version"))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func (g *nonsense) word(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom(g.words), rapid.SampledFrom(g.words), rapid.StringN(0, 8, 20)).Draw(t, "word")
}

// body is a patch, an object of known fields with values of any kind, or text.
func (g *nonsense) body(t *rapid.T, method, pattern string) string {
	kind := rapid.IntRange(0, 9).Draw(t, "body")
	good := bodies()[pattern]
	switch {
	case method == http.MethodGet || kind == 0:
		return ""
	case kind == 1:
		return rapid.SampledFrom([]string{"{", "null", "[]", "\"x\"", "1e999", "{\"a\":", "\xff\xfe", "[[]]", "[null]", "{\"a\": 1} {}", "driver=ipmi"}).Draw(t, "text")
	case kind < 8 && good != nil:
		return encoded(g.bent(t, good))
	case method == http.MethodPatch:
		return encoded(rapid.SliceOfN(rapid.Custom(g.operation), 0, 3).Draw(t, "patch"))
	}
	return encoded(g.object(t, 2))
}

// bent is a good body with a few of its values changed, taken away, or others added, at any depth.
func (g *nonsense) bent(t *rapid.T, good object) object {
	out := object{}
	for _, key := range slices.Sorted(maps.Keys(good)) {
		out[key] = good[key]
		inner, isObject := good[key].(object)
		switch rapid.IntRange(0, 7).Draw(t, "bend "+key) {
		case 0:
			delete(out, key)
		case 1, 2:
			out[key] = g.value(t, 2)
		case 3:
			out[g.word(t)] = g.value(t, 1)
		case 4:
			if isObject {
				out[key] = g.bent(t, inner)
			}
			if list, ok := good[key].([]object); ok {
				out[key] = []object{g.bent(t, list[0])}
			}
		}
	}
	return out
}

func (g *nonsense) operation(t *rapid.T) object {
	path := "/" + g.word(t)
	if rapid.Bool().Draw(t, "deeper") {
		path += "/" + g.word(t)
	}
	return object{"op": rapid.SampledFrom([]string{"add", "replace", "remove", "test"}).Draw(t, "op"), "path": path, "value": g.value(t, 2)}
}

func (g *nonsense) object(t *rapid.T, depth int) object {
	out := object{}
	for range rapid.IntRange(0, 4).Draw(t, "fields") {
		out[g.word(t)] = g.value(t, depth)
	}
	return out
}

func (g *nonsense) value(t *rapid.T, depth int) any {
	switch kind := rapid.IntRange(0, 8).Draw(t, "kind"); {
	case kind == 0:
		return nil
	case kind == 1:
		return rapid.Bool().Draw(t, "flag")
	case kind == 2:
		return rapid.SampledFrom([]float64{0, 1, -1, 1.5, 1e15, 1e300, 4096}).Draw(t, "number")
	case kind == 3 && depth > 0:
		list := make([]any, rapid.IntRange(0, 2).Draw(t, "length"))
		for i := range list {
			list[i] = g.value(t, depth-1)
		}
		return list
	case kind <= 5 && depth > 0:
		return g.object(t, depth-1)
	case kind == 6:
		return rapid.String().Draw(t, "string")
	}
	return rapid.SampledFrom(append(names(), "fake-hardware", "manage", "provide", "active", "clean", "abort", "adopt", "service", "rescue", "power on", "rebooting",
		"52:54:00:00:00:77", "http://192.0.2.1/a", "pxe", "uefi", "deploy", "erase_devices", "raid", "iqn", "main", "eq", "fail", "cdrom")).Draw(t, "known")
}

func encoded(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(text)
}

// words are the fields of everything that was furnished, and the arguments of what takes others.
func (s *service) words(t *testing.T) []string {
	known := map[string]bool{}
	for _, path := range []string{
		nodes + uuid(1), ports + uuid(21), groups + uuid(22), "/v1/chassis/" + uuid(20), "/v1/volume/connectors/" + uuid(23), "/v1/volume/targets/" + uuid(24),
		"/v1/deploy_templates/" + uuid(25), "/v1/runbooks/" + uuid(26), "/v1/inspection_rules/" + uuid(27), "/v1/allocations/" + uuid(28), "/v1/drivers/fake-hardware",
	} {
		for field := range s.call(t, "GET", path, "1.115", nil).body {
			known[field] = true
		}
	}
	for _, word := range strings.Fields(`target timeout configdrive clean_steps deploy_steps service_steps rescue_password disable_ramdisk runbook reason
		boot_device persistent enabled state id port_uuid portgroup_uuid device_type device_types image_url image_download_source traits node node_ident node_uuid
		callback_url agent_token agent_version agent_verify_ca agent_status agent_status_message inventory interfaces mac_address plugin_data addresses
		interface step args priority order conditions actions op logical_disks size_gb raid_level steps events event method fields detail limit marker
		sort_key sort_dir associated shard sharded project include_children conductor_groups type meta_data user_data network_data switch_id port_id`) {
		known[word] = true
	}
	return slices.Sorted(maps.Keys(known))
}
