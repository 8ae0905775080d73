package client

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// Resource is a collection of the API by its path below /v1: "ports", "volume/connectors", "nodes/n1/history". Its things
// are objects as the wire has them, for those who show or change whatever fields there are.
type Resource struct {
	client *Client
	path   string
	items  string // the name of the list in answers
}

// Resource gives the collection at a path below /v1, each part escaped where that is needed. Ironic names a list in
// answers as the last part of the path.
func (c *Client) Resource(parts ...string) Resource {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = url.PathEscape(part)
	}
	return Resource{client: c, path: "/v1/" + strings.Join(escaped, "/"), items: parts[len(parts)-1]}
}

// List gives all things that the query selects; it follows the pages to the end, or to the query's own limit.
func (r Resource) List(ctx context.Context, query url.Values) ([]map[string]any, error) {
	all := []map[string]any{}
	for {
		var page map[string]any
		if err := r.client.call(ctx, "GET", r.path, query, nil, &page); err != nil {
			return nil, err
		}
		items, ok := page[r.items].([]any)
		if !ok {
			return nil, fmt.Errorf("cannot read the answer to GET %s: it has no list called %s", r.path, r.items)
		}
		for _, item := range items {
			all = append(all, objectOf(r.items, item))
		}
		next, _ := page["next"].(string)
		if next == "" || len(items) == 0 || query.Has("limit") {
			return all, nil
		}
		target, err := url.Parse(next)
		if err != nil {
			return nil, fmt.Errorf("cannot read the answer to GET %s: its next page is %q", r.path, next)
		}
		query = target.Query()
		query.Del("limit")
	}
}

// objectOf makes an object of a list's item: traits are bare words.
func objectOf(items string, item any) map[string]any {
	if object, ok := item.(map[string]any); ok {
		return object
	}
	return map[string]any{strings.TrimSuffix(items, "s"): item}
}

// Get gives one thing by UUID or name; of its fields only those selected, when there are any. NotFound.
func (r Resource) Get(ctx context.Context, ident string, fields ...string) (map[string]any, error) {
	query := url.Values{}
	if len(fields) > 0 {
		query.Set("fields", strings.Join(fields, ","))
	}
	var thing map[string]any
	return thing, r.client.call(ctx, "GET", r.path+"/"+url.PathEscape(ident), query, nil, &thing)
}

// Create makes a thing of the fields and gives it as it became.
func (r Resource) Create(ctx context.Context, fields map[string]any) (map[string]any, error) {
	var thing map[string]any
	return thing, r.client.call(ctx, "POST", r.path, nil, fields, &thing)
}

// Patch changes a thing and gives it as it became. The query is Ironic's reset_interfaces, or nil.
func (r Resource) Patch(ctx context.Context, ident string, query url.Values, patches ...Patch) (map[string]any, error) {
	var thing map[string]any
	return thing, r.client.call(ctx, "PATCH", r.path+"/"+url.PathEscape(ident), query, patches, &thing)
}

// Delete forgets a thing.
func (r Resource) Delete(ctx context.Context, ident string) error {
	return r.client.call(ctx, "DELETE", r.path+"/"+url.PathEscape(ident), nil, nil, nil)
}

// Document is what stands at the resource's own path when that is no list: "nodes/n1/inventory".
func (r Resource) Document(ctx context.Context, query url.Values) (map[string]any, error) {
	var body map[string]any
	return body, r.client.call(ctx, "GET", r.path, query, nil, &body)
}

// Set writes a body to the resource's own path, and gives what stands there now.
func (r Resource) Set(ctx context.Context, body any) (map[string]any, error) {
	var thing map[string]any
	return thing, r.client.call(ctx, "PUT", r.path, nil, body, &thing)
}

// Put writes a body to the resource's own path; nil is none. The answer is {} when there is none.
func (r Resource) Put(ctx context.Context, body any) error {
	return r.client.call(ctx, "PUT", r.path, nil, body, nil)
}

// All is the list that stands at the resource's own path under no name: "nodes/n1/vmedia".
func (r Resource) All(ctx context.Context) ([]map[string]any, error) {
	items := []map[string]any{}
	return items, r.client.call(ctx, "GET", r.path, nil, nil, &items)
}

// Remove deletes what stands at the resource's own path, or the part of it that a query selects.
func (r Resource) Remove(ctx context.Context, query url.Values) error {
	return r.client.call(ctx, "DELETE", r.path, query, nil, nil)
}
