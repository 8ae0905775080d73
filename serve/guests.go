package serve

import (
	"slices"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/conductor"
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
	return &conductor.Guests{Prober: a.hosts, Hosts: a.Store.Hypervisors(), Store: a.Store, Moves: a.Store, Flavors: a.Store.Flavors(), Interfaces: interfaces}
}

// serveGuests opens the API's part of compute hosts.
func (a *App) serveGuests(to *api.API) {
	if a.Config.computes() {
		to.Compute, to.Hypervisors, to.Flavors, to.Guests = a.Conductor, a.Store.Hypervisors(), a.Store.Flavors(), a.Store
	}
}
