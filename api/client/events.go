package client

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// EventQuery says which events to listen for.
type EventQuery struct {
	After *int64 // those after this ID; nil is those that come from now on
	Node  string // of this node only, by UUID or name
	Types []string
}

// Events gives events as they come until ctx ends, the caller stops, or the stream breaks off: then the last pair has
// the error, and a query after the last ID goes on without a gap.
func (c *Client) Events(ctx context.Context, q EventQuery) iter.Seq2[ingot.Event, error] {
	return func(yield func(ingot.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		body, err := c.listen(ctx, q)
		if err != nil {
			yield(ingot.Event{}, err)
			return
		}
		defer body.Close() //nolint:errcheck // the stream is over
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			text, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue // the ID and type are in the data too; comments keep the connection alive
			}
			var e ingot.Event
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				yield(e, fmt.Errorf("cannot read an event: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		err = lines.Err()
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		yield(ingot.Event{}, &ingot.Error{Code: ingot.Unavailable, Err: fmt.Errorf("the event stream broke off: %w", err)})
	}
}

// LastEvent is the ID of the last event there was, to ask later for those that came after it. Ironic has none: NotFound
// there.
func (c *Client) LastEvent(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := c.listen(ctx, EventQuery{})
	if err != nil {
		return 0, err
	}
	defer body.Close() //nolint:errcheck // enough was read
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			return strconv.ParseInt(text, 10, 64)
		}
	}
	return 0, &ingot.Error{Code: ingot.Unavailable, Err: fmt.Errorf("the event stream broke off: %w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF))}
}

func (c *Client) listen(ctx context.Context, q EventQuery) (io.ReadCloser, error) {
	query := url.Values{}
	if q.After != nil {
		query.Set("after", strconv.FormatInt(*q.After, 10))
	}
	if q.Node != "" {
		query.Set("node", q.Node)
	}
	if len(q.Types) > 0 {
		query.Set("type", strings.Join(q.Types, ","))
	}
	req, err := c.request(ctx, "GET", "/v1/events", query, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := c.send(req)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
