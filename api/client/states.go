package client

import (
	"context"
	"math"
	"time"

	"github.com/ingot-metal/ingot"
)

// Provision is what to do with a node's provision state.
type Provision struct {
	Target       ingot.Verb       `json:"target"`
	ConfigDrive  any              `json:"configdrive,omitempty"` // URL, base64 of a gzip ISO, or an object
	CleanSteps   []map[string]any `json:"clean_steps,omitempty"`
	DeploySteps  []map[string]any `json:"deploy_steps,omitempty"`
	ServiceSteps []map[string]any `json:"service_steps,omitempty"`
	Runbook      string           `json:"runbook,omitempty"` // instead of clean or service steps
	// RescuePassword is for the user "rescue" of the rescue ramdisk.
	RescuePassword string `json:"rescue_password,omitempty"`
	DisableRamdisk *bool  `json:"disable_ramdisk,omitempty"`
}

// SetProvision asks for a verb; it returns when the service has accepted it. WaitState waits for what comes of it.
func (c *Client) SetProvision(ctx context.Context, ident string, p Provision) error {
	return c.call(ctx, "PUT", nodePath(ident, "/states/provision"), nil, p, nil)
}

// SetPower asks for a power state; it returns when the service has accepted it.
func (c *Client) SetPower(ctx context.Context, ident string, target ingot.PowerTarget) error {
	return c.SetPowerWithin(ctx, ident, target, 0)
}

// SetPowerWithin is SetPower that fails when the state is not reached in time, in whole seconds; 0 leaves it to the
// service.
func (c *Client) SetPowerWithin(ctx context.Context, ident string, target ingot.PowerTarget, timeout time.Duration) error {
	body := map[string]any{"target": target}
	if timeout > 0 {
		body["timeout"] = int(math.Ceil(timeout.Seconds()))
	}
	return c.call(ctx, "PUT", nodePath(ident, "/states/power"), nil, body, nil)
}
