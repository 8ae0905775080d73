package api_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ingot-metal/ingot/api"
)

// document is openapi.yaml as tests hold answers against it.
type document struct {
	paths    map[string]map[string]any // path and lower-case method to the operation
	compiler *jsonschema.Compiler
	mu       sync.Mutex
	schemas  map[string]*jsonschema.Schema
}

// theDocument is read once.
var theDocument = sync.OnceValues(readDocument)

func readDocument() (*document, error) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	d := &document{paths: map[string]map[string]any{}, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	paths, _ := doc["paths"].(map[string]any)
	for path, item := range paths {
		d.paths[path], _ = item.(map[string]any)
	}
	return d, d.compiler.AddResource("https://ingot/openapi.json", doc)
}

var braces = regexp.MustCompile(`\{[^}]*\}`)

// path is the template that a request's path fits best, "" for none.
func (d *document) path(asked string) string {
	asked = strings.TrimRight(asked, "/")
	if _, ok := d.paths[asked]; !ok && !strings.HasPrefix(asked, "/v1") && asked != "" {
		asked = "/v1" + asked
	}
	if asked == "" {
		asked = "/"
	}
	best, fewest := "", 100
	for template := range d.paths {
		parts := braces.FindAllString(template, -1)
		pattern := "^" + braces.ReplaceAllString(template, "[^/]+") + "$"
		if len(parts) < fewest && regexp.MustCompile(pattern).MatchString(asked) {
			best, fewest = template, len(parts)
		}
	}
	return best
}

// judge says what is wrong with an answer, "" for nothing. Paths that are not in the document are unknown to the API too.
func (d *document) judge(method, asked string, status int, kind string, body []byte) string {
	template := d.path(asked)
	operation, _ := d.paths[template][strings.ToLower(method)].(map[string]any)
	if operation == nil {
		return ""
	}
	responses, _ := operation["responses"].(map[string]any)
	code := strconv.Itoa(status)
	if _, ok := responses[code]; !ok {
		if status < 400 {
			return "openapi.yaml has no response " + code + " for " + method + " " + template + ": add it there"
		}
		code = "default"
	}
	response, _ := responses[code].(map[string]any)
	at := "#/paths/" + pointer(template) + "/" + strings.ToLower(method) + "/responses/" + code
	if ref, ok := response["$ref"].(string); ok {
		at = ref
	}
	content, _ := response["content"].(map[string]any)
	switch {
	case !strings.HasPrefix(kind, "application/json"):
		return ""
	case content == nil && response["$ref"] == nil:
		return method + " " + template + " answered " + code + " with a body, of which openapi.yaml knows nothing: add its content there"
	}
	schema, err := d.schema(at + "/content/application~1json/schema")
	if err != nil {
		return err.Error()
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		return method + " " + template + " answered " + code + ", which is not what openapi.yaml says (change it there): " + err.Error()
	}
	return ""
}

func (d *document) schema(at string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.schemas[at]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile("https://ingot/openapi.json" + at)
	if err == nil {
		d.schemas[at] = s
	}
	return s, err
}

// pointer is a word of a JSON pointer in a URL's fragment.
func pointer(word string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(word)
}

// documented holds every answer of a handler, and every request that it accepts, against openapi.yaml.
func documented(t testing.TB, next http.Handler) http.Handler {
	d, err := theDocument()
	require.NoError(t, err)
	if _, measured := t.(*testing.B); measured {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &witness{ResponseWriter: w, status: http.StatusOK}
		request := r.Clone(r.Context()) // a handler may change its own
		sent := &bytes.Buffer{}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, sent), r.Body}
		next.ServeHTTP(seen, r)
		method := r.Method
		if method == http.MethodHead {
			return
		}
		if wrong := d.judge(method, r.URL.Path, seen.status, w.Header().Get("Content-Type"), seen.body.Bytes()); wrong != "" {
			t.Errorf("%s %s: %s\n%.400s", r.Method, r.URL, wrong, seen.body.String())
		}
		if seen.status/100 == 2 {
			if wrong := d.accepted(request, sent.Bytes()); wrong != "" {
				t.Errorf("%s %s: %s\n%.400s", r.Method, r.URL, wrong, sent)
			}
		}
	})
}

// witness keeps what is answered.
type witness struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *witness) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(p []byte) (int, error) {
	if w.Header().Get("Content-Type") == "application/json" {
		w.body.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets streams flush.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestOpenAPI holds openapi.yaml against the routes and the tables of fields: what they say is written into it by
// INGOT_TEST_UPDATE=1, what people write stays.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	require.Empty(t, api.MissingParts(), "everything_test.go has to give these parts of an API to Everything")
	was, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	now, err := refreshed(was)
	require.NoError(t, err)
	if os.Getenv("INGOT_TEST_UPDATE") != "" {
		require.NoError(t, os.WriteFile("openapi.yaml", now, 0o644))
		return
	}
	if !bytes.Equal(was, now) {
		t.Fatalf("openapi.yaml is not what routes and tables say, first at line %d:\n run   INGOT_TEST_UPDATE=1 go test ./api -run TestOpenAPI\n"+
			" then put words and bodies of what is new into api/openapi.yaml, and commit it", firstDifference(was, now))
	}
}

func firstDifference(a, b []byte) int {
	one, two := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	i := 0
	for i < min(len(one), len(two)) && bytes.Equal(one[i], two[i]) {
		i++
	}
	return i + 1
}

// TestDocumentIsWhole: every operation has words, a response that is a success, and only references that lead
// somewhere.
func TestDocumentIsWhole(t *testing.T) {
	t.Parallel()
	d, err := theDocument()
	require.NoError(t, err)
	spec, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	require.NoError(t, err)
	require.NoError(t, spec.Validate(t.Context()), "openapi.yaml is no OpenAPI 3.1")
	ids := []string{}
	for path, item := range d.paths {
		for method, operation := range item {
			o, ok := operation.(map[string]any)
			if !ok {
				continue // parameters
			}
			require.NotEmpty(t, o["summary"], "%s %s has no summary in openapi.yaml", method, path)
			ids = append(ids, o["operationId"].(string))
			responses, _ := o["responses"].(map[string]any)
			success := false
			for code, response := range responses {
				success = success || strings.HasPrefix(code, "2") || code == "101" // a WebSocket
				if r, ok := response.(map[string]any); ok && r["content"] != nil {
					for kind := range r["content"].(map[string]any) {
						_, err := d.schema("#/paths/" + pointer(path) + "/" + method + "/responses/" + code + "/content/" + pointer(kind) + "/schema")
						require.NoError(t, err, "%s %s", method, path)
					}
				}
			}
			require.True(t, success, "%s %s has no response that is a success in openapi.yaml", method, path)
		}
	}
	slices.Sort(ids)
	require.Equal(t, slices.Compact(slices.Clone(ids)), ids, "two operations have one operationId")
}

// TestDocumentRefuses: the check of answers finds what is not in the document.
func TestDocumentRefuses(t *testing.T) {
	t.Parallel()
	d, err := theDocument()
	require.NoError(t, err)
	const kind = "application/json"
	for name, wrong := range map[string]string{
		"a field that it has not": d.judge("GET", "/v1/ports/x", 200, kind, []byte(`{"uuid": "a", "adress": "b"}`)),
		"another type":            d.judge("GET", "/v1/ports", 200, kind, []byte(`{"ports": [{"uuid": 1}]}`)),
		"another status":          d.judge("DELETE", "/v1/ports/x", 202, kind, nil),
		"no such error":           d.judge("GET", "/v1/ports/x", 404, kind, []byte(`{"message": "a"}`)),
	} {
		require.NotEmpty(t, wrong, name)
	}
	require.Empty(t, d.judge("GET", "/ports/x/", 200, kind, []byte(`{"uuid": "a", "address": "b", "extra": {}}`)))
}
