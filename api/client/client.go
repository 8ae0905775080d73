// Package client speaks Ingot's API, and so OpenStack Ironic's: for the command line, the lab and tests.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Client talks to one service. Errors that the service answered are ingot.Errors with its sentence.
type Client struct {
	BaseURL  string       // http://127.0.0.1:6385
	HTTP     *http.Client // nil is http.DefaultClient; calls are bounded by their contexts
	Version  string       // microversion, "1.115"; "" is the service's latest
	User     string       // "" sends no credentials
	Password ingot.Secret
}

// maxAnswer bounds what is read of an answer: a full page of nodes is a few megabytes.
const maxAnswer = 256 << 20

// request prepares a call; a body that is not nil goes as JSON.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	target := strings.TrimRight(c.BaseURL, "/") + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("cannot encode the body of %s %s: %w", method, path, err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, in)
	if err != nil {
		return nil, fmt.Errorf("cannot call %s: %w", target, err)
	}
	version := c.Version
	if version == "" {
		version = "latest"
	}
	req.Header.Set("X-OpenStack-Ironic-API-Version", version)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.User != "" {
		req.SetBasicAuth(c.User, c.Password.Reveal())
	}
	return req, nil
}

// send sends a request and turns what is not a success into an error.
func (c *Client) send(req *http.Request) (*http.Response, error) {
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, &ingot.Error{Code: ingot.Unavailable, Err: fmt.Errorf("cannot reach the API: %w", err)}
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close() //nolint:errcheck // it was read, or the connection is lost
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("cannot read the answer to %s %s: %w", req.Method, req.URL.Path, err)
	}
	return nil, failure(req, res, text)
}

// call sends and decodes the answer into out, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, out any) error {
	req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	res, err := c.send(req)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // read whole, or reported
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("cannot read the answer to %s %s: %w", method, path, err)
	}
	return nil
}
