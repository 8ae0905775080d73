package serve

import (
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/conductor/agent"
	"github.com/ingot-metal/ingot/conductor/fake"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/images"
	"github.com/ingot-metal/ingot/pxe"
)

// wire makes the parts and tells them of each other.
func (a *App) wire() error {
	cfg := &a.Config
	urlKeys, err := a.Store.DeriveKeys("image URLs")
	if err != nil {
		return err
	}
	a.images = &images.Service{
		Roots: append([]string{filepath.Join(cfg.Data, "images")}, cfg.Images.FilePaths...), Secrets: urlKeys, Log: a.log, Now: a.Store.Now,
		Cache: &images.Cache{Dir: filepath.Join(cfg.Data, "cache"), Max: cfg.Images.CacheSize}, Copies: filepath.Join(cfg.Data, "copies"),
	}
	if a.peers != nil {
		a.images.Elsewhere = a.peers
	}
	a.hosts = &hypervisor.Hosts{Log: a.log, KeepBases: cfg.Conduct.BasesKept}
	rack := cfg.Rack
	if rack == nil {
		rack = &fake.Rack{Delays: cfg.Fake.delays(), Log: a.log}
	}
	drivers := &Drivers{Enabled: cfg.Drivers, Fake: rack, Wire: &agent.Client{}, Alive: a.Store.Conductors, Hosts: a.hosts, Hypervisor: a.Store.Hypervisors().Get}
	registry := prometheus.NewRegistry()
	if err := a.wireConductor(drivers, registry); err != nil {
		return err
	}
	a.hosts.Changed, rack.Caller = a.Conductor.GuestChanged, a.Conductor
	if err := a.wireAPI(drivers, registry); err != nil {
		return err
	}
	a.wireBoot()
	return nil
}

func (a *App) wireConductor(drivers *Drivers, registry *prometheus.Registry) error {
	cfg := &a.Config
	rules, err := builtInRules(cfg.Conduct.InspectionRules)
	if err != nil {
		return err
	}
	counted, err := conductor.NewFigures(registry)
	if err != nil {
		return err
	}
	if err := registry.Register(newFigures(a.Store, a.log)); err != nil {
		return err
	}
	a.Conductor = &conductor.Conductor{
		ID: a.process, Hostname: cfg.Hostname, Group: cfg.Conduct.Group, Pulse: a.pulse(), Figures: counted, Now: a.Store.Now, Operations: a.Store, Wakes: a.Store, Nodes: a.Store, NodePorts: a.Store, Leases: a.Store, Blobs: a.Store, Firmware: a.Store,
		Machines: drivers, Images: a.images, ImageBytes: a.images, Disks: a.images, Guests: a.guests(), Log: a.log, Settings: cfg.Conduct.settings(), BootURL: cfg.bootURL, Ramdisk: cfg.ramdisk(),
		Events: a.Store.AppendEvents, Allocations: a.Store.Allocations(), Templates: a.Store.Templates(), Runbooks: a.Store.Runbooks(), Rules: a.Store.Rules(), BuiltInRules: rules,
	}
	if cfg.has(roleConductor) { // others may not have the folders
		a.Conductor.ImageFinder = a.images
	}
	a.Conductor.Prepare()
	if cfg.computes() && cfg.has(roleConductor) {
		return registry.Register(newGuestFigures(a.Conductor.GuestStats, a.log))
	}
	return nil
}

func (a *App) wireAPI(drivers *Drivers, registry *prometheus.Registry) error {
	cfg := &a.Config
	auth, err := a.authenticator()
	if err != nil {
		return err
	}
	steps, err := api.ParseStepRules(cfg.API.StepRoles)
	if err != nil {
		return err
	}
	a.API = &api.API{
		Nodes:            a.Store,
		Ports:            a.Store.Ports(),
		Portgroups:       a.Store.Portgroups(),
		Chassis:          a.Store.Chassis(),
		VolumeConnectors: a.Store.VolumeConnectors(),
		VolumeTargets:    a.Store.VolumeTargets(),
		VIFs:             a.Store,
		Templates:        a.Store.Templates(),
		Runbooks:         a.Store.Runbooks(),
		Rules:            a.Store.Rules(),
		Allocations:      a.Store.Allocations(),
		Allocator:        a.Conductor,
		Shards:           a.Store,
		History:          a.Store,
		Inventories:      a.Store,
		Events:           a.Store,
		Operations:       a.Store,
		Leases:           a.Store,
		FirmwareStore:    a.Store,

		Provisioner: a.Conductor,
		Management:  a.Conductor,
		Indicators:  a.Conductor,
		Firmware:    a.Conductor,
		Consoles:    a.Conductor,
		Media:       a.Conductor,
		Vendors:     a.Conductor,
		Agents:      a.Conductor,
		Drivers:     drivers,
		Networks:    cfg.Networks,

		Auth: auth, Audit: a.audit(), OwnNodesByAdminOnly: cfg.API.ProjectAdmins != nil && !*cfg.API.ProjectAdmins, ElevatedProject: cfg.API.ServiceProject, StepRules: steps,
		Patience: cfg.API.patience(), Ready: a.ready, Registry: registry, PublicURL: cfg.API.PublicURL, DevRamdisk: cfg.Dev, Logger: a.log,
	}
	if a.peers != nil {
		a.API.Peers = a.peers
	}
	if a.guestBMC, err = a.guestBMCs(); err != nil {
		return err
	}
	a.serveGuests(a.API)
	return nil
}

func (a *App) wireBoot() {
	cfg := &a.Config
	a.pxe = &pxe.Server{
		Networks: cfg.Networks, Decider: a.Conductor, Leases: bootLeases{a.Store}, Files: bootFiles{a.Conductor, a.peers}, Loaders: os.DirFS(cfg.Boot.Loaders),
		HTTPPort: cfg.Boot.Port, BootURL: cfg.Boot.URL, Logger: a.log, DryRun: cfg.DryListen, Clock: sharedClock{a.Store},
	}
	if cfg.Database.URL != "" { // others may serve the same networks
		a.pxe.Offers = a.Store
	}
}
