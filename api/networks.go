package api

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// LeaseStore is what the networks' handlers need of the store.
type LeaseStore interface {
	// ListLeases gives the leases of a network in the order of their addresses, those that are over included.
	ListLeases(ctx context.Context, network string) ([]ingot.Lease, error)
}

// listNetworks is GET /v1/networks, which Ironic has not: the networks that machines boot on, as configured.
func listNetworks(r *request) (response, error) {
	if err := r.bare(); err != nil {
		return response{}, err
	}
	networks := r.api.Networks
	if networks == nil {
		networks = []ingot.Network{}
	}
	return response{body: map[string]any{"networks": networks}}, nil
}

// listLeases is GET /v1/networks/{network}/leases, which Ironic has not: which address the boot service last gave to
// which machine, and until when.
func listLeases(r *request) (response, error) {
	if err := r.bare(); err != nil {
		return response{}, err
	}
	name := r.param("network")
	known := false
	for _, n := range r.api.Networks {
		known = known || n.Name == name
	}
	if !known {
		return response{}, ingot.Errorf(ingot.NotFound, "Network %s could not be found.", name)
	}
	leases, err := r.api.Leases.ListLeases(r.Context(), name)
	if err != nil {
		return response{}, err
	}
	shown := make([]map[string]any, 0, len(leases))
	for _, l := range leases {
		until := time.Unix(l.Until, 0)
		shown = append(shown, map[string]any{
			"mac": l.MAC, "address": l.Address.String(), "hostname": l.Hostname, "until": wireTime(until), "over": !until.After(r.api.Clock.now()),
		})
	}
	return response{body: map[string]any{"leases": shown}}, nil
}
