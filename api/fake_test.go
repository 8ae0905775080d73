package api_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// service is the API on a store of its own, with a pretended conductor.
type service struct {
	*api.API
	Store     *store.Store
	Conductor *conductor
	URL       string
}

// start serves the API on loopback until the test ends.
func start(t testing.TB, change ...func(*api.API)) *service {
	t.Helper()
	return startOn(t, storetest.SQLite(t), change...)
}

// startOn is start for a store that is there.
func startOn(t testing.TB, db *store.Store, change ...func(*api.API)) *service {
	t.Helper()
	c := &conductor{store: db, device: ingot.BootSetting{Device: ingot.BootDisk, Persistent: true}}
	a := &api.API{
		Nodes: db, Ports: db.Ports(), Portgroups: db.Portgroups(), Chassis: db.Chassis(), VolumeConnectors: db.VolumeConnectors(), VolumeTargets: db.VolumeTargets(), VIFs: db, Shards: db,
		Templates: db.Templates(), Runbooks: db.Runbooks(), Rules: db.Rules(), Allocations: db.Allocations(), History: db, Inventories: db, Events: db, Leases: db,
		Provisioner: c, Management: c, Agents: c, Drivers: c,
		Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), DevRamdisk: true,
	}
	for _, f := range change {
		f(a)
	}
	server := httptest.NewServer(documented(t, a.Handler()))
	t.Cleanup(server.Close)
	return &service{API: a, Store: db, Conductor: c, URL: server.URL}
}

// conductor moves nodes at once to where the state table leads, and keeps what it was asked.
type conductor struct {
	store  *store.Store
	mu     sync.Mutex
	asked  []ingot.ProvisionRequest
	power  []ingot.PowerTarget
	beats  []ingot.Heartbeat
	device ingot.BootSetting
	nmi    int
	fail   error
}

func (c *conductor) Provision(ctx context.Context, node ingot.Node, req ingot.ProvisionRequest) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return c.fail
	}
	c.asked = append(c.asked, req)
	row, _ := ingot.Next(node.ProvisionState, req.Verb)
	to := row.Target
	if row.Kind == "" {
		to = row.To
	}
	_, err := c.store.ChangeNode(ctx, ingot.NodeChange{
		UUID: node.UUID, Version: node.Version,
		Change: func(n *ingot.Node) error { n.ProvisionState = to; return nil },
		Events: []ingot.Event{{Type: "node.state", Data: map[string]any{"to": string(to)}}},
		History: []ingot.History{{
			Severity: "INFO", Type: "transition", Event: string(node.ProvisionState) + " -> " + string(to),
			State: to, Duration: 1500 * time.Millisecond,
		}},
	})
	return err
}

func (c *conductor) SetPower(ctx context.Context, node ingot.Node, target ingot.PowerTarget, _ time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.power = append(c.power, target)
	state := ingot.PowerOn
	if target == ingot.TargetPowerOff || target == ingot.TargetSoftOff {
		state = ingot.PowerOff
	}
	_, err := c.store.ChangeNode(ctx, ingot.NodeChange{UUID: node.UUID, Change: func(n *ingot.Node) error {
		n.PowerState = state
		return nil
	}})
	return err
}

func (c *conductor) Validate(context.Context, ingot.Node) (map[string]ingot.Verdict, error) {
	verdicts := map[string]ingot.Verdict{}
	for _, kind := range ingot.InterfaceKinds() {
		verdicts[kind] = ingot.PassVerdict()
	}
	verdicts["deploy"] = ingot.FailVerdict("missing in instance_info: image_source")
	verdicts["rescue"] = ingot.Verdict{Reason: "not supported"}
	return verdicts, nil
}

func (c *conductor) BootDevice(context.Context, ingot.Node) (ingot.BootSetting, error) {
	return c.device, c.fail
}

func (c *conductor) SetBootDevice(_ context.Context, _ ingot.Node, want ingot.BootSetting) error {
	c.device = want
	return c.fail
}

func (c *conductor) SupportedBootDevices(context.Context, ingot.Node) ([]ingot.BootDevice, error) {
	return []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk}, c.fail
}

func (c *conductor) InjectNMI(context.Context, ingot.Node) error {
	c.nmi++
	return c.fail
}

func (c *conductor) Sensors(context.Context, ingot.Node) ([]ingot.Sensor, error) {
	return []ingot.Sensor{{Name: "CPU", Kind: "temperature", Value: 41, Unit: "degrees C", Status: "ok"}}, c.fail
}

func (c *conductor) Lookup(ctx context.Context, macs []string, nodeUUID, _ string) (ingot.Node, error) {
	if len(macs) == 0 {
		return c.store.Node(ctx, nodeUUID)
	}
	node, err := c.store.NodeByMACs(ctx, macs)
	node.Agent.Token = "once-only"
	return node, err
}

func (c *conductor) Heartbeat(_ context.Context, _ string, hb ingot.Heartbeat) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beats = append(c.beats, hb)
	return c.fail
}

func (c *conductor) ContinueInspection(ctx context.Context, nodeUUID string, inventory ingot.Inventory, plugin map[string]any, _ string) (ingot.Node, error) {
	if nodeUUID == "" {
		node, err := c.store.NodeByMACs(ctx, []string{inventory.Interfaces[0].MAC})
		if err != nil {
			return node, err
		}
		nodeUUID = node.UUID
	}
	if err := c.store.PutInventory(ctx, nodeUUID, &inventory, plugin); err != nil {
		return ingot.Node{}, err
	}
	return c.store.Node(ctx, nodeUUID)
}

func (c *conductor) HardwareTypes(context.Context) ([]ingot.HardwareType, error) {
	fake := ingot.HardwareType{
		Name: "fake-hardware", Hosts: []string{"host1"}, Default: map[string]string{}, Enabled: map[string][]string{},
		Properties: map[string]string{"fake_delay": "seconds that each action takes"},
	}
	ipmi := ingot.HardwareType{
		Name: "ipmi", Hosts: []string{"host1"}, Default: map[string]string{}, Enabled: map[string][]string{},
		Properties: map[string]string{"ipmi_address": "IP address or host name of the BMC. Required."},
	}
	for _, kind := range ingot.InterfaceKinds() {
		fake.Default[kind], fake.Enabled[kind] = "fake", []string{"fake"}
		ipmi.Default[kind], ipmi.Enabled[kind] = "no-"+kind, []string{"no-" + kind}
	}
	for kind, name := range map[string]string{"power": "ipmitool", "management": "ipmitool", "deploy": "direct", "boot": "ipxe"} {
		ipmi.Default[kind], ipmi.Enabled[kind] = name, []string{name}
	}
	return []ingot.HardwareType{fake, ipmi}, nil
}

func (c *conductor) Conductors(context.Context) ([]ingot.Conductor, error) {
	drivers := []string{"fake-hardware", "ipmi"}
	return []ingot.Conductor{
		{Hostname: "host2", Group: "far", Drivers: drivers}, // which has died
		{Hostname: "host1", Alive: true, Drivers: drivers, UpdatedAt: time.Unix(1700000000, 0)},
		{Hostname: "host3", Group: "near", Alive: true, Drivers: drivers},
	}, nil
}
