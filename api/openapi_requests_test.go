package api_test

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/stretchr/testify/require"
)

// accepted says what the document does not know of a request that was answered with success, "" for nothing: its query and
// its body are what clients that are made from the document could have sent.
func (d *document) accepted(r *http.Request, sent []byte) string {
	template := d.path(r.URL.Path)
	method := strings.ToLower(r.Method)
	operation, _ := d.paths[template][method].(map[string]any)
	if operation == nil {
		return ""
	}
	at := "#/paths/" + pointer(template) + "/" + method
	body := ""
	if r.Method == http.MethodPut && operation["requestBody"] != nil { // whose words may be in the query
		body = at + bodySchema
	}
	if wrong := d.asked(at, body, operation, r.URL.Query()); wrong != "" {
		return r.Method + " " + template + " was accepted with " + wrong + ": write it there or refuse it"
	}
	if wrong := d.sent(at, operation, sent, r.URL.Query()); wrong != "" {
		return r.Method + " " + template + " was accepted with " + wrong + ": change it there or refuse it"
	}
	return ""
}

// bodySchema is where an operation's body is described.
const bodySchema = "/requestBody/content/application~1json/schema"

// has says whether there is something at a place of the document.
func (d *document) has(at string) bool {
	_, err := d.schema(at)
	return err == nil
}

// asked says what is wrong with a query; body is the schema of which it may hold words, "" none.
func (d *document) asked(at, body string, operation map[string]any, query url.Values) string {
	parameters, _ := operation["parameters"].([]any)
	schemas := map[string]string{}
	for i, p := range parameters {
		parameter, _ := p.(map[string]any)
		where := at + "/parameters/" + strconv.Itoa(i)
		if ref, ok := parameter["$ref"].(string); ok {
			schemas[ref[strings.LastIndex(ref, "/")+1:]] = ref + "/schema"
			continue
		}
		if parameter["in"] == "query" {
			schemas[parameter["name"].(string)] = where + "/schema"
		}
		if name, _ := parameter["name"].(string); parameter["in"] == "query" && parameter["required"] == true && !query.Has(name) {
			return "no " + name + " in its query, which openapi.yaml requires"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		where, known := schemas[name]
		if !known && body != "" {
			where, known = body+"/properties/"+name, d.has(body+"/properties/"+name)
		}
		if !known {
			return "the query " + name + "=" + query.Get(name) + ", which is not in openapi.yaml"
		}
		schema, err := d.schema(where)
		if err != nil {
			return err.Error()
		}
		for _, text := range query[name] {
			if err := holds(schema, text); err != nil {
				return "the query " + name + "=" + text + ", which is not what openapi.yaml says: " + err.Error()
			}
		}
	}
	return ""
}

// holds holds a value against a schema. Text stands for the truth or the number that is wanted, as the document's
// introduction says.
func holds(schema *jsonschema.Schema, value any) error {
	err := schema.Validate(value)
	var wrong *jsonschema.ValidationError
	if !errors.As(err, &wrong) {
		return err
	}
	whole := []any{value} // so that what is replaced always is within something
	if !readWords(wrong, whole) {
		return err
	}
	return schema.Validate(whole[0])
}

// readWords replaces text that stands for what a schema wants, and says whether there was any.
func readWords(wrong *jsonschema.ValidationError, whole []any) bool {
	read := false
	for _, cause := range wrong.Causes {
		read = readWords(cause, whole) || read
	}
	other, ok := wrong.ErrorKind.(*kind.Type)
	if !ok || other.Got != "string" {
		return read
	}
	var at any = whole
	var put func(any)
	for _, step := range append([]string{"0"}, wrong.InstanceLocation...) {
		switch within := at.(type) {
		case []any:
			i, _ := strconv.Atoi(step)
			at, put = within[i], func(v any) { within[i] = v }
		case map[string]any:
			at, put = within[step], func(v any) { within[step] = v }
		}
	}
	text, _ := at.(string)
	if b, ok := truths[strings.ToLower(text)]; ok && slices.Contains(other.Want, "boolean") {
		put(b)
		return true
	}
	if n, err := strconv.Atoi(text); err == nil && slices.Contains(other.Want, "integer") {
		put(float64(n))
		return true
	}
	return read
}

// truths are the words of Ironic's that stand for truth.
var truths = map[string]bool{
	"1": true, "t": true, "true": true, "on": true, "y": true, "yes": true, "0": false, "f": false, "false": false, "off": false, "n": false, "no": false,
}

// sent says what is wrong with a body.
func (d *document) sent(at string, operation map[string]any, body []byte, query url.Values) string {
	known, _ := operation["requestBody"].(map[string]any)
	switch body = bytes.TrimSpace(body); {
	case known == nil && len(body) > 0:
		return "a body, of which openapi.yaml knows nothing"
	case len(body) == 0 && known["required"] == true && len(query) == 0:
		return "no body, which openapi.yaml requires"
	case len(body) == 0:
		return ""
	}
	content, _ := known["content"].(map[string]any)
	if _, ok := content["application/json"]; !ok {
		return "" // bytes
	}
	schema, err := d.schema(at + bodySchema)
	if err != nil {
		return err.Error()
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = holds(schema, value)
	}
	if err != nil {
		return "a body that is not what openapi.yaml says: " + err.Error()
	}
	return ""
}

// TestDocumentRefusesRequests: the check of requests finds what is not in the document.
func TestDocumentRefusesRequests(t *testing.T) {
	t.Parallel()
	d, err := theDocument()
	require.NoError(t, err)
	judge := func(method, target, body string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
		require.NoError(t, err)
		return d.accepted(r, []byte(body))
	}
	for name, wrong := range map[string]string{
		"a field that it has not":     judge("POST", "/v1/ports", `{"node_uuid": "a", "address": "b", "adress": "c"}`),
		"another type":                judge("POST", "/v1/ports", `{"node_uuid": "a", "address": 5}`),
		"a field that is missing":     judge("POST", "/v1/ports", `{"node_uuid": "a"}`),
		"a body where there is none":  judge("DELETE", "/v1/ports/x", `{}`),
		"no body where there is one":  judge("PUT", "/v1/nodes/x/states/power", ""),
		"a query that it has not":     judge("GET", "/v1/ports?adress=x", ""),
		"a query that is no number":   judge("GET", "/v1/ports?limit=many", ""),
		"a query that it requires":    judge("GET", "/v1/placements", ""),
		"a query of another resource": judge("GET", "/v1/chassis?address=x", ""),
	} {
		require.NotEmpty(t, wrong, name)
	}
	require.Empty(t, judge("POST", "/v1/ports", `{"node_uuid": "a", "address": "b"}`))
	require.Empty(t, judge("GET", "/v1/ports?address=x&limit=5&fields=uuid,address&detail=False", ""))
}

// TestDocumentedQueries: no query that the document names is unknown to the API.
func TestDocumentedQueries(t *testing.T) {
	t.Parallel()
	d, err := theDocument()
	require.NoError(t, err)
	s := fuzzed(t)
	things := strings.NewReplacer("{node}", fuzzNode, "{port}", fuzzPort, "{portgroup}", fuzzGroup, "{chassis}", fuzzChassis, "{connector}", fuzzConnector, "{target}", fuzzTarget, "{driver}", "fake-hardware")
	for path, item := range d.paths {
		get, _ := item["get"].(map[string]any)
		parameters, _ := get["parameters"].([]any)
		for _, p := range parameters {
			name, _ := p.(map[string]any)["name"].(string)
			if ref, ok := p.(map[string]any)["$ref"].(string); ok {
				name = ref[strings.LastIndex(ref, "/")+1:]
			}
			if path == "/v1/events" {
				continue // it streams
			}
			a := s.call(t, "GET", things.Replace(path)+"?"+name+"=1", nil)
			require.NotContains(t, a.text, "Unexpected arguments", "%s %s", path, name)
		}
	}
}
