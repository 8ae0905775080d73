package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/api/client/live"
)

// Tour is the main job on one node of a rack that runs: enrolled, inspected, cleaned, imaged, and logged in to.
type Tour struct {
	Rack   *Rack
	API    *client.Client
	Node   string // of the rack
	Driver string // ipmi or redfish; "" is ipmi
	Image  string // whole-disk image: an absolute path in one of the service's folders
	View   *live.View
	// Compute has the tour go on: the node becomes a compute host and has a guest. The image is a compute host's then.
	Compute *Compute
	// Patience bounds each phase; 0 is 10 minutes.
	Patience time.Duration
}

// phase is one line of the table that a tour ends with.
type phase struct {
	name string
	do   func(context.Context) error
}

// Run goes through all phases; View tells how it goes. When it fails, the error is the reason, and Report has more.
func (t *Tour) Run(ctx context.Context) error {
	orText(&t.Driver, "ipmi")
	if t.Patience == 0 {
		t.Patience = 10 * time.Minute
	}
	phases := []phase{
		{"service", t.ready},
		{"enrol", t.enrol},
		{"inspect", t.verb(client.Provision{Target: ingot.VerbInspect}, ingot.Manageable)},
		{"clean", t.verb(client.Provision{Target: ingot.VerbProvide}, ingot.Available)},
		{"deploy", t.deploy},
		{"ssh", t.login},
	}
	if t.Compute != nil {
		phases = append(phases, t.computePhases()...)
	}
	for _, p := range phases {
		if err := t.phase(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// phase runs one phase within its time, while the view follows the node's events.
func (t *Tour) phase(ctx context.Context, p phase) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.Patience, fmt.Errorf("it took longer than %s", t.Patience))
	defer cancel()
	t.View.Begin(p.name)
	err := p.do(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	t.View.End(err)
	return err
}

// ready waits for the service.
func (t *Tour) ready(ctx context.Context) error {
	return until(ctx, 100*time.Millisecond, func() error { return t.API.Ready(ctx) })
}

// until asks again and again until there is no error, or ctx ends: then with the last error.
func until(ctx context.Context, pause time.Duration, ask func() error) error {
	again := time.NewTicker(pause)
	defer again.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-again.C:
		}
	}
}

// enrol makes node and port, and has the BMC verified.
func (t *Tour) enrol(ctx context.Context) error {
	spec, err := t.Rack.Spec(t.Node)
	if err != nil {
		return err
	}
	info, err := t.Rack.DriverInfo(t.Node, t.Driver)
	if err != nil {
		return err
	}
	node, err := t.API.CreateNode(ctx, map[string]any{
		"name": spec.Name, "driver": t.Driver, "driver_info": info,
		"properties": map[string]any{"capabilities": "boot_mode:" + string(spec.Firmware)},
	})
	if err != nil {
		return err
	}
	if _, err := t.API.CreatePort(ctx, node.UUID, spec.MAC); err != nil {
		return err
	}
	return t.verb(client.Provision{Target: ingot.VerbManage}, ingot.Manageable)(ctx)
}

// verb asks for a provision state and waits for what has to come of it.
func (t *Tour) verb(p client.Provision, want ingot.State) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go t.View.Follow(ctx, t.API, t.Node)
		if err := t.API.SetProvision(ctx, t.Node, p); err != nil {
			return err
		}
		_, err := t.API.WaitState(ctx, t.Node, want)
		return err
	}
}

// deploy puts the image on the disk and starts it with a config drive of our own.
func (t *Tour) deploy(ctx context.Context) error {
	key, err := t.Rack.PublicKey()
	if err != nil {
		return err
	}
	sum, err := Checksum(t.Image)
	if err != nil {
		return err
	}
	_, err = t.API.PatchNode(ctx, t.Node,
		client.Set("/instance_info/image_source", "file://"+t.Image),
		client.Set("/instance_info/image_os_hash_algo", "sha512"),
		client.Set("/instance_info/image_os_hash_value", sum))
	if err != nil {
		return err
	}
	drive := map[string]any{"meta_data": map[string]any{
		"uuid": t.Rack.Name + "-" + t.Node, "hostname": t.hostname(), "public_keys": map[string]string{"lab": strings.TrimSpace(key)},
	}}
	if t.Compute != nil {
		if drive["user_data"], err = t.letIn(ctx, key); err != nil {
			return err
		}
	}
	return t.verb(client.Provision{Target: ingot.VerbActive, ConfigDrive: drive}, ingot.Active)(ctx)
}

// hostname is the instance's name: another one than the node's, so that it can only come from the config drive.
func (t *Tour) hostname() string { return t.Node + "-toured" }

// login logs in with the key and asks for the host name: both came from the config drive.
func (t *Tour) login(ctx context.Context) error {
	name := ""
	err := until(ctx, time.Second, func() (err error) {
		name, err = t.Rack.Execute(ctx, t.Node, "hostname")
		return err
	})
	if err != nil {
		return err
	}
	if name = strings.TrimSpace(name); name != t.hostname() {
		return fmt.Errorf("the instance's host name is %q, the config drive says %q", name, t.hostname())
	}
	return nil
}
