package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/coder/websocket"

	"github.com/ingot-metal/ingot"
)

// ConsoleLog gives at most the last most bytes of what a node said on its serial console.
func (c *Client) ConsoleLog(ctx context.Context, node string, most int) ([]byte, error) {
	req, err := c.request(ctx, http.MethodGet, "/v1/nodes/"+url.PathEscape(node)+"/console/log", url.Values{"bytes": {strconv.Itoa(most)}}, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.send(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // it was read, or the connection is lost
	return io.ReadAll(io.LimitReader(res.Body, maxAnswer))
}

// JoinConsole sits at a node's serial console, which must be enabled; force takes it from whoever has it. It ends with ctx
// or when it is closed; then, and when the service closed it, reads are io.EOF.
func (c *Client) JoinConsole(ctx context.Context, node string, force bool) (io.ReadWriteCloser, error) {
	query := url.Values{}
	if force {
		query.Set("force", "true")
	}
	req, err := c.request(ctx, http.MethodGet, "/v1/nodes/"+url.PathEscape(node)+"/console/serial", query, nil)
	if err != nil {
		return nil, err
	}
	socket, res, err := websocket.Dial(ctx, req.URL.String(), &websocket.DialOptions{HTTPClient: c.HTTP, HTTPHeader: req.Header})
	switch {
	case err == nil:
		return websocket.NetConn(ctx, socket, websocket.MessageBinary), nil
	case res == nil:
		return nil, &ingot.Error{Code: ingot.Unavailable, Err: fmt.Errorf("cannot reach the API: %w", err)}
	}
	defer res.Body.Close()          //nolint:errcheck // the library has read it
	text, _ := io.ReadAll(res.Body) // what there is of it; the status tells too
	return nil, failure(req, res, text)
}
