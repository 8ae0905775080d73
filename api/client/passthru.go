package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
)

// Post sends a body to the resource's own path, where that makes no thing to be shown: "nodes/n1/vifs".
func (r Resource) Post(ctx context.Context, body any) error {
	return r.client.call(ctx, "POST", r.path, nil, body, nil)
}

// Passthru calls a method of a node's vendor interface with an HTTP method that it takes. The answer is nil where there
// is none: methods that work on are asynchronous.
func (c *Client) Passthru(ctx context.Context, verb, ident, method string, args map[string]any) (any, error) {
	req, err := c.request(ctx, verb, nodePath(ident, "/vendor_passthru"), url.Values{"method": {method}}, args)
	if err != nil {
		return nil, err
	}
	res, err := c.send(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read whole, or reported
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil || len(text) == 0 {
		return nil, err
	}
	var answer any
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("cannot read the answer to %s %s: %w", verb, req.URL.Path, err)
	}
	return answer, nil
}
