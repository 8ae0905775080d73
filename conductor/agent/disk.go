package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ingot-metal/ingot"
)

// silence is how long nothing may come of a disk that is being read.
const silence = time.Minute

// ReadDisk writes the root disk of the agent's machine, as it is to be on another one: GET {agent}/v1/disk. It takes as long
// as that takes. Unsupported: the agent is not Ingot's.
func (c *Client) ReadDisk(ctx context.Context, node *ingot.Node, wish ingot.DiskWish, into io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the agent at %s sent nothing for %s", node.Agent.URL, silence)) })
	defer stalled.Stop()
	query := fmt.Sprintf("size=%d&without_config_drive=%t", wish.Size, wish.WithoutConfigDrive)
	response, err := c.send(ctx, node, http.MethodGet, "disk", query, nil)
	if err != nil {
		return causeOf(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20)) // the status says enough
		if response.StatusCode == http.StatusNotFound {
			return ingot.Errorf(ingot.Unsupported, "the agent at %s gives no disk out: the ramdisk is not Ingot's, or an older one", node.Agent.URL)
		}
		return statusError(node, response.StatusCode, body)
	}
	heard := heard{response.Body, stalled}
	if err := ingot.ReceiveDisk(heard, wish.Size, into); err != nil {
		return fmt.Errorf("cannot read the disk from the agent at %s: %w", node.Agent.URL, causeOf(ctx, err))
	}
	return nil
}

// causeOf is why a context has ended, where that made the error.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// heard is a reader that puts a timer off as long as something comes.
type heard struct {
	from  io.Reader
	timer *time.Timer
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	if n > 0 {
		h.timer.Reset(silence)
	}
	return n, err
}
