package serve

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/guestbmc"
)

// computes says whether this service has compute hosts and guests: where their driver is enabled.
func (c *Config) computes() bool { return slices.Contains(c.Drivers, ingot.GuestDriver) }

// guests are the conductor's part of compute hosts; nil where there are none.
func (a *App) guests() *conductor.Guests {
	if !a.Config.computes() {
		return nil
	}
	var interfaces ingot.Interfaces
	for kind, names := range table()[ingot.GuestDriver].enabled {
		*interfaces.Field(kind) = names[0]
	}
	return &conductor.Guests{
		Prober: a.hosts, Hosts: a.Store.Hypervisors(), Store: a.Store, Moves: a.Store, Instances: a.Store, Flavors: a.Store.Flavors(), Counter: a.hosts, Interfaces: interfaces,
		Every: a.Config.Conduct.HostProbe, LostAfter: a.Config.Conduct.HostLost,
	}
}

// checkGuestBMC refuses what no virtual BMC can listen on.
func (c *Config) checkGuestBMC() error {
	text(&c.GuestBMC.Ports, "6300-6399")
	if c.GuestBMC.Listen == "" {
		return nil
	}
	if _, err := netip.ParseAddr(c.GuestBMC.Listen); err != nil {
		return fmt.Errorf("cannot start: guest_bmc.listen %q is no address", c.GuestBMC.Listen)
	}
	if !c.computes() {
		return errors.New("cannot start: guest_bmc.listen is set, and there are no guests without driver libvirt")
	}
	if _, _, err := guestbmc.Ports(c.GuestBMC.Ports); err != nil {
		return fmt.Errorf("cannot start: guest_bmc.ports: %w", err)
	}
	return nil
}

// guestBMCs are the virtual BMCs; nil where there are none.
func (a *App) guestBMCs() (*guestbmc.Service, error) {
	cfg := &a.Config
	if cfg.GuestBMC.Listen == "" || !cfg.has(roleAPI) {
		return nil, nil
	}
	tls, _, err := cfg.certificate()
	if err != nil {
		return nil, err
	}
	first, last, err := guestbmc.Ports(cfg.GuestBMC.Ports)
	if err != nil {
		return nil, err
	}
	s := &guestbmc.Service{
		Host: cfg.GuestBMC.Listen, First: first, Last: last, TLS: tls, Records: a.Store.GuestBMCs(), Nodes: a.Store, Control: a.Conductor, Log: a.log,
	}
	s.Prepare()
	return s, nil
}

// serveGuests opens the API's part of compute hosts.
func (a *App) serveGuests(to *api.API) {
	if a.Config.computes() {
		to.Compute, to.Hypervisors, to.Flavors, to.Guests = a.Conductor, a.Store.Hypervisors(), a.Store.Flavors(), a.Store
	}
	if a.guestBMC != nil {
		to.GuestBMCs = a.guestBMC
	}
}
