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

// Passthru calls a method of a vendor interface ("nodes/n1/vendor_passthru") with an HTTP method that it takes. The answer is
// nil where there is none: methods that work on are asynchronous.
func (r Resource) Passthru(ctx context.Context, verb, method string, args map[string]any) (any, error) {
	req, err := r.client.request(ctx, verb, r.path, url.Values{"method": {method}}, args)
	if err != nil {
		return nil, err
	}
	res, err := r.client.send(req)
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
