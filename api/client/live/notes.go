package live

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot/api/client"
)

// notesPoll is how often is asked what is waited for: no event tells it.
const notesPoll = 2 * time.Second

// Notes shows what a node's operation waits for, until ctx ends. It gives up where the service has no operations.
func (v *View) Notes(ctx context.Context, api *client.Client, node string) {
	again := time.NewTicker(notesPoll)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		all, err := api.Operations(ctx, node)
		if err != nil {
			return
		}
		if len(all) > 0 && all[0].Outcome == "" && all[0].WaitingFor != "" {
			v.Waiting(all[0].WaitingFor)
		}
	}
}
