package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// openAPI is the API as a document (OpenAPI 3.1). Tests hold it against the routes, the tables of fields and every answer.
//
//go:embed openapi.yaml
var openAPI []byte

//go:embed docs.html
var docsPage string

// showOpenAPI is GET /openapi.yaml.
func showOpenAPI(*request) (response, error) { return page("application/yaml", openAPI), nil }

// showDocs is GET /docs: the document for people, with nothing fetched from elsewhere.
func showDocs(r *request) (response, error) {
	text, err := r.tables.docs()
	return page("text/html; charset=utf-8", text), err
}

func page(kind string, text []byte) response {
	return response{stream: func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write(text) // a client that has gone away needs no answer
	}}
}

// newDocs makes the page when it is first asked for.
func newDocs() func() ([]byte, error) { return sync.OnceValues(renderDocs) }

func renderDocs() ([]byte, error) {
	var d docsDocument
	if err := yaml.Unmarshal(openAPI, &d); err != nil {
		return nil, err
	}
	page, err := template.New("docs").Funcs(template.FuncMap{"prose": prose}).Parse(docsPage)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, d.view())
	return out.Bytes(), err
}

// prose is a paragraph with its **words** and `code` marked.
func prose(text string) template.HTML {
	marked := template.HTMLEscapeString(text)
	for mark, tag := range map[string]string{"**": "b", "`": "code"} {
		parts := strings.Split(marked, mark)
		for i := 1; i+1 < len(parts); i += 2 {
			parts[i] = "<" + tag + ">" + parts[i] + "</" + tag + ">"
		}
		marked = strings.Join(parts, "")
	}
	return template.HTML(marked) //nolint:gosec // escaped above
}

// docsDocument is what the page shows of the document.
type docsDocument struct {
	Info struct{ Title, Summary, Version, Description string }
	Tags []struct{ Name, Description string }
	// Paths are by path and method; an item's parameters are its only other key.
	Paths      map[string]map[string]yaml.Node
	Components struct {
		Parameters map[string]docsParam
		Schemas    map[string]yaml.Node
	}
}

type docsParam struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Since       string `yaml:"x-since"`
	Description string
}

type docsContent struct {
	Content map[string]struct{ Schema yaml.Node }
}

type docsOperation struct {
	Tags                 []string
	Summary, Description string
	ID                   string `yaml:"operationId"`
	Since                string `yaml:"x-since"`
	Rule                 string `yaml:"x-rule"`
	Parameters           []docsParam
	RequestBody          docsContent `yaml:"requestBody"`
	Responses            map[string]struct {
		Description string
		docsContent `yaml:",inline"`
	}
}

// The page's parts.
type (
	docsView struct {
		Title, Summary, Version string
		Text                    []string
		Tags                    []docsTag
		Schemas                 []docsSchema
	}
	docsTag struct {
		Name, Text string
		Operations []docsEntry
	}
	docsEntry struct {
		ID, Method, Path, Summary, Text, Since, Rule, Body string
		Params                                             []docsRow
		Answers                                            []docsAnswer
	}
	docsRow    struct{ Name, Where, Since, Text string }
	docsAnswer struct{ Code, Text, Body string }
	docsSchema struct{ Name, Body string }
)

func (d *docsDocument) view() docsView {
	v := docsView{Title: d.Info.Title, Summary: d.Info.Summary, Version: d.Info.Version, Text: strings.Split(d.Info.Description, "\n\n")}
	entries := d.entries()
	for _, tag := range d.Tags {
		v.Tags = append(v.Tags, docsTag{tag.Name, tag.Description, entries[tag.Name]})
	}
	for name, schema := range d.Components.Schemas {
		v.Schemas = append(v.Schemas, docsSchema{name, schemaText(&schema)})
	}
	slices.SortFunc(v.Schemas, func(a, b docsSchema) int { return strings.Compare(a.Name, b.Name) })
	return v
}

// entries are the operations by their tags, in the order of paths and methods.
func (d *docsDocument) entries() map[string][]docsEntry {
	found := map[string][]docsEntry{}
	for path, item := range d.Paths {
		for method, body := range item {
			var o docsOperation
			if body.Kind != yaml.MappingNode || body.Decode(&o) != nil || len(o.Tags) == 0 {
				continue
			}
			found[o.Tags[0]] = append(found[o.Tags[0]], d.entry(path, strings.ToUpper(method), &o))
		}
	}
	order := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	for _, list := range found {
		slices.SortFunc(list, func(a, b docsEntry) int {
			if a.Path != b.Path {
				return strings.Compare(a.Path, b.Path)
			}
			return slices.Index(order, a.Method) - slices.Index(order, b.Method)
		})
	}
	return found
}

func (d *docsDocument) entry(path, method string, o *docsOperation) docsEntry {
	e := docsEntry{ID: o.ID, Method: method, Path: path, Summary: o.Summary, Text: o.Description, Since: o.Since, Rule: o.Rule}
	for _, p := range o.Parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = d.Components.Parameters[name]
		}
		e.Params = append(e.Params, docsRow{p.Name, p.In, p.Since, p.Description})
	}
	e.Body = o.RequestBody.text()
	for code, r := range o.Responses {
		if code != "default" {
			e.Answers = append(e.Answers, docsAnswer{code, r.Description, r.text()})
		}
	}
	slices.SortFunc(e.Answers, func(a, b docsAnswer) int { return strings.Compare(a.Code, b.Code) })
	return e
}

// text is the schema of a body, "" for none.
func (c docsContent) text() string {
	for _, body := range c.Content {
		return schemaText(&body.Schema)
	}
	return ""
}

// schemaText is a schema as it stands in the document.
func schemaText(schema *yaml.Node) string {
	text, err := yaml.Marshal(schema)
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(strings.TrimSpace(string(text)), "#/components/schemas/", "")
}
