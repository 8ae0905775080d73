package api_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/ingot-metal/ingot/api"
)

// refreshed is the document with what routes and tables say put into it: paths and operations (operationId, x-since,
// x-rule, parameters), and schemas of resources. What has words already keeps them.
func refreshed(was []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(was, &doc); err != nil {
		return nil, err
	}
	root := doc.Content[0]
	paths, known := under(root, "paths"), map[string]bool{}
	paths.Style = 0
	for _, rt := range append(api.AllRoutes(api.Everything()), api.Route{Method: "GET", Path: "/", Rule: "public", Handler: "showRoot"}) {
		known[rt.Path+" "+strings.ToLower(rt.Method)] = true
		operation(under(paths, rt.Path), rt)
	}
	prune(paths, known)
	tags(root, known)
	sortKeys(paths)
	schemas := under(under(root, "components"), "schemas")
	for _, table := range api.Tables() {
		tableSchemas(schemas, table)
	}
	sortKeys(schemas)
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// operation writes what a route's row says.
func operation(item *yaml.Node, rt api.Route) {
	var params []any
	for part := range strings.SplitSeq(rt.Path, "/") {
		if strings.HasPrefix(part, "{") {
			params = append(params, map[string]any{"name": strings.Trim(part, "{}"), "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
	}
	if params != nil {
		set(item, "parameters", lines(params))
	}
	o := under(item, strings.ToLower(rt.Method))
	def(o, "tags", []string{tag(rt.Path)})
	def(o, "summary", words(rt))
	set(o, "operationId", value(identifier(rt)))
	if rt.Since > 1 {
		set(o, "x-since", value(fmt.Sprintf("1.%d", rt.Since)))
	}
	set(o, "x-rule", value(rt.Rule))
	table, list := tableOf(rt.Path)
	switch {
	case table == nil || rt.Method != "GET":
	case list:
		set(o, "parameters", lines(listParams(table, rt.Path, get(o, "parameters"))))
	case !strings.Contains(rt.Path, "{node}/"):
		set(o, "parameters", lines([]any{ref("/components/parameters/fields")}))
	}
	body, status, answer := expected(rt.Method, table, list)
	if body != "" {
		def(o, "requestBody", map[string]any{"content": map[string]any{"application/json": map[string]any{"schema": ref(body)}}})
	}
	responses := map[string]any{status: map[string]any{"description": "Done."}, "default": map[string]any{"$ref": "#/components/responses/Error"}}
	if answer != nil {
		responses[status] = map[string]any{"description": "Done.", "content": map[string]any{"application/json": map[string]any{"schema": answer}}}
	}
	def(o, "responses", responses)
}

// expected is what a new operation is taken to be until somebody writes what it is.
func expected(method string, table *api.Table, list bool) (body, status string, answer any) {
	switch {
	case table == nil && method == "GET":
		return "", "200", map[string]any{"type": "object"}
	case table == nil || method == "DELETE":
		return "", "204", nil
	case list && method == "GET":
		return "", "200", ref(table.Name + "List")
	case method == "POST":
		return table.Name + "New", "201", ref(table.Name)
	case method == "PATCH":
		return "Patch", "200", ref(table.Name)
	}
	return "", "200", ref(table.Name)
}

// tableOf is the table of a path's last part, and whether the path is of many.
func tableOf(path string) (*api.Table, bool) {
	parts := strings.Split(strings.TrimSuffix(path, "/detail"), "/")
	tables := api.Tables()
	for back, list := range map[int]bool{1: true, 2: false} {
		if len(parts) <= back {
			continue
		}
		i := slices.IndexFunc(tables, func(t api.Table) bool {
			return strings.HasSuffix(strings.Join(parts[:len(parts)-back+1], "/"), "/"+t.Path)
		})
		if i >= 0 && (list || strings.HasPrefix(parts[len(parts)-1], "{")) {
			return &tables[i], list
		}
	}
	return nil, false
}

// listParams are a list's parameters: paging, and the filters of the table; those that people wrote stay.
func listParams(t *api.Table, path string, was *yaml.Node) []any {
	params, names := []any{}, map[string]bool{}
	written := func(name string) bool {
		return was != nil && slices.ContainsFunc(was.Content, func(n *yaml.Node) bool { return get(n, "name") != nil && get(n, "name").Value == name })
	}
	for _, name := range pageParams(t, path) {
		if !written(name) {
			params = append(params, ref("/components/parameters/"+name))
		}
	}
	for _, row := range t.Rows {
		if !row.Filter {
			continue
		}
		p := map[string]any{"name": row.Name, "in": "query", "schema": map[string]any{"type": "string"}}
		if since := max(row.Since, row.FilterSince); since > 1 {
			p["x-since"] = fmt.Sprintf("1.%d", since)
		}
		names[row.Name] = true
		params = append(params, p)
	}
	for _, name := range t.Params {
		if !written(name) {
			params = append(params, map[string]any{"name": name, "in": "query", "schema": map[string]any{"type": "string"}})
		}
	}
	for i := 0; was != nil && i < len(was.Content); i++ {
		if name := get(was.Content[i], "name"); name != nil && !names[name.Value] {
			params = append(params, was.Content[i])
		}
	}
	return params
}

// pageParams are those of every list, save for what belongs to a node as it is read from its machine, or told by it. A path of
// old clients shows every field.
func pageParams(t *api.Table, path string) []string {
	switch t.Path {
	case "bios", "firmware":
		return []string{"fields", "detail"}
	case "history":
		return []string{"limit", "marker", "sort_key", "sort_dir", "detail"}
	}
	params := []string{"limit", "marker", "sort_key", "sort_dir", "fields", "detail"}
	if strings.HasSuffix(path, "/detail") {
		return params[:4]
	}
	return params
}

// tableSchemas writes a resource, a list of it, and what makes one.
func tableSchemas(schemas *yaml.Node, t api.Table) {
	shown, fresh := object(schemas, t.Name), &yaml.Node{}
	required := []string{}
	if slices.ContainsFunc(t.Rows, func(r api.Row) bool { return r.Create }) {
		fresh = object(schemas, t.Name+"New")
	}
	names := map[string]bool{"links": true}
	for _, row := range t.Rows {
		if !row.Shown {
			continue
		}
		names[row.Name] = true
		property(under(shown, "properties"), row)
		if row.Create {
			set(under(fresh, "properties"), row.Name, flow(ref(t.Name+"/properties/"+row.Name)))
		}
		if row.Required {
			required = append(required, row.Name)
		}
	}
	set(under(shown, "properties"), "links", flow(ref("Links")))
	keep(under(shown, "properties"), names)
	sortKeys(under(shown, "properties"))
	if len(required) > 0 && fresh.Kind != 0 {
		set(fresh, "required", flow(required))
	}
	list := object(schemas, t.Name+"List")
	set(list, "properties", value(map[string]any{
		t.List: map[string]any{"type": "array", "items": ref(t.Name)}, "next": map[string]any{"type": "string", "description": "The next page, where there is one."},
	}))
}

func object(schemas *yaml.Node, name string) *yaml.Node {
	s := under(schemas, name)
	def(s, "type", "object")
	def(s, "additionalProperties", false)
	return s
}

// property writes a field's row; the type of one that is computed is what people write.
func property(properties *yaml.Node, row api.Row) {
	p := under(properties, row.Name)
	types := map[string]string{
		"text": "string,null", "uuid": "string,null", "mac": "string,null", "moment": "string,null", "flag": "boolean,null", "object": "object", "": "",
	}
	t, ok := types[row.Kind]
	if !ok {
		t = row.Kind
	}
	if row.Required {
		t = strings.TrimSuffix(t, ",null")
	}
	switch list := strings.Split(t, ","); {
	case row.Part:
		set(p, "$ref", value("#/components/schemas/Links"))
	case len(list) > 1:
		set(p, "type", flow(list))
	case t != "":
		set(p, "type", value(t))
	}
	for key, is := range map[string]string{"uuid": "uuid", "moment": "date-time"} {
		if row.Kind == key {
			set(p, "format", value(is))
		}
	}
	if row.Max > 0 {
		set(p, "maxLength", value(row.Max))
	}
	if row.Since > 1 {
		set(p, "x-since", value(fmt.Sprintf("1.%d", row.Since)))
	}
	if !row.Create && !row.Patch {
		set(p, "readOnly", value(true))
	}
	if get(p, "description") == nil {
		p.Style = yaml.FlowStyle
	}
}

// tags lists a tag that is new; its words are to be written.
func tags(root *yaml.Node, known map[string]bool) {
	list := get(root, "tags")
	for _, at := range slices.Sorted(maps.Keys(known)) {
		path, _, _ := strings.Cut(at, " ")
		name := tag(path)
		if !slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return get(n, "name").Value == name }) {
			list.Content = append(list.Content, flow(map[string]any{"name": name, "description": strings.ReplaceAll(name, "_", " ")}))
		}
	}
}

func tag(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	if !strings.HasPrefix(path, "/v1/") || parts[0] == "" {
		return "service"
	}
	return parts[0]
}

// words are a handler's name as a sentence.
func words(rt api.Route) string {
	name := rt.Handler
	if strings.Contains(name, "func") || strings.HasPrefix(name, "handle") {
		name = map[string]string{"GET": "show", "POST": "create", "PATCH": "change", "DELETE": "delete", "PUT": "set"}[rt.Method]
		if table, list := tableOf(rt.Path); table != nil {
			name += table.Name
			if list && rt.Method == "GET" {
				name = "list" + table.Name
			}
		}
	}
	var out strings.Builder
	for i, c := range name {
		switch {
		case i == 0:
			out.WriteRune(unicode.ToUpper(c))
		case unicode.IsUpper(c) && !unicode.IsUpper(rune(name[i-1])):
			out.WriteString(" " + string(unicode.ToLower(c)))
		default:
			out.WriteRune(unicode.ToLower(c))
		}
	}
	return out.String()
}

// identifier is a name that no other operation has.
func identifier(rt api.Route) string {
	id := strings.ToLower(rt.Method)
	switch rt.Path {
	case "/":
		return id + "_root"
	case "/v1":
		return id + "_v1"
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(rt.Path, "/v1"), "/") {
		if part = strings.Trim(part, "{}"); part != "" {
			id += "_" + part
		}
	}
	return strings.NewReplacer(".", "_", "-", "_").Replace(id)
}
