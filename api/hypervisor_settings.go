package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// hypervisorSettings is the body of PUT hypervisor: all that operators set of a compute host. What is left out has its
// default again.
type hypervisorSettings struct {
	Type            string               `json:"type"`
	URI             string               `json:"uri"`
	AllocationRatio map[string]float64   `json:"allocation_ratio"`
	Reserved        map[string]float64   `json:"reserved"`
	Pools           []ingot.StoragePool  `json:"pools"`
	Networks        []ingot.GuestNetwork `json:"networks"`
	CPU             ingot.GuestCPU       `json:"cpu"`
	OnHostFailure   ingot.FailurePolicy  `json:"on_host_failure"`
	Autostart       bool                 `json:"autostart"`
	MigrationTLS    bool                 `json:"migration_tls"`
	Disabled        bool                 `json:"disabled"`
	Draining        bool                 `json:"draining"`
	// Generation refuses a change of what somebody else has changed meanwhile; nil takes any.
	Generation *int64 `json:"generation"`

	ratios, reserved ingot.Amounts
}

// hypervisorSettings reads and checks the body, as far as that needs no libvirt.
func (r *request) hypervisorSettings() (*hypervisorSettings, error) {
	body, err := r.json()
	if err != nil {
		return nil, err
	}
	s := &hypervisorSettings{}
	if err := strict(body, s); err != nil {
		return nil, err
	}
	if s.OnHostFailure == "" {
		s.OnHostFailure = ingot.FailureNone
	}
	switch {
	case s.Type == "":
		return nil, ingot.Errorf(ingot.Invalid, "Missing mandatory parameter: type")
	case s.URI == "":
		return nil, ingot.Errorf(ingot.Invalid, "Missing mandatory parameter: uri")
	case !slices.Contains([]ingot.FailurePolicy{ingot.FailureNone, ingot.FailureRestart, ingot.FailureRebuild}, s.OnHostFailure):
		return nil, ingot.Errorf(ingot.Invalid, "on_host_failure can not be %s: it is one of none, restart, rebuild", repr(string(s.OnHostFailure)))
	case s.Generation != nil && *s.Generation < 1:
		return nil, ingot.Errorf(ingot.Invalid, "generation can not be %d: it is 1 or more", *s.Generation)
	}
	if s.ratios, err = thousandths("allocation_ratio", s.AllocationRatio, 1000, 1000*1000, "a number from 0.001 to 1000"); err != nil {
		return nil, err
	}
	if s.reserved, err = thousandths("reserved", s.Reserved, 1, 1<<31, "a whole number"); err != nil {
		return nil, err
	}
	return s, s.checkParts()
}

// checkParts checks what each pool and network is made of; whether a host has them is for the probe to tell.
func (s *hypervisorSettings) checkParts() error {
	seen := map[string]bool{}
	for i := range s.Pools {
		p := &s.Pools[i]
		if p.Resource == "" {
			p.Resource = ingot.DiskGB
		}
		switch {
		case p.Name == "" || seen[p.Name]:
			return ingot.Errorf(ingot.Invalid, "pools has one without a name, or two with the name %s", repr(p.Name))
		case p.Resource != ingot.DiskGB:
			return ingot.Errorf(ingot.Invalid, "pool %s can not have the resource %s: it is DISK_GB", p.Name, repr(string(p.Resource)))
		}
		for _, format := range p.Formats {
			if format != "qcow2" && format != "raw" {
				return ingot.Errorf(ingot.Invalid, "pool %s can not have the format %s: it is qcow2 or raw", p.Name, repr(format))
			}
		}
		seen[p.Name] = true
	}
	seen = map[string]bool{}
	for _, n := range s.Networks {
		switch {
		case n.PhysicalNetwork == "" || seen[n.PhysicalNetwork]:
			return ingot.Errorf(ingot.Invalid, "networks has one without a physical_network, or two with %s", repr(n.PhysicalNetwork))
		case (n.Bridge == "") == (n.LibvirtNetwork == ""):
			return ingot.Errorf(ingot.Invalid, "network %s has either a bridge or a libvirt_network", n.PhysicalNetwork)
		}
		seen[n.PhysicalNetwork] = true
	}
	return nil
}

// thousandths reads numbers by resource, times a factor, as integers.
func thousandths(field string, numbers map[string]float64, factor, most float64, sort string) (ingot.Amounts, error) {
	out := ingot.Amounts{}
	for name, n := range numbers {
		scaled := math.Round(n * factor)
		switch {
		case !ingot.Resource(name).Known():
			return nil, ingot.Errorf(ingot.Invalid, "%s is no resource of guests: they are %s", repr(name), resourceNames())
		case scaled < 0 || scaled > most || math.Abs(scaled-n*factor) > 1e-6 || factor > 1 && scaled < 1:
			return nil, ingot.Errorf(ingot.Invalid, "Expected %s for %s of %s: %s", sort, field, name, repr(n))
		}
		out[ingot.Resource(name)] = int64(scaled)
	}
	return out, nil
}

// apply sets everything that operators set.
func (s *hypervisorSettings) apply(h *ingot.Hypervisor) {
	h.Type, h.URI, h.Ratios, h.Reserved = s.Type, s.URI, s.ratios, s.reserved
	h.Pools, h.Networks, h.CPU = s.Pools, s.Networks, s.CPU
	h.OnHostFailure, h.Autostart, h.Disabled, h.Draining = s.OnHostFailure, s.Autostart, s.Disabled, s.Draining
	h.MigrationTLS = s.MigrationTLS
}

// settingsOf is what operators have set, on the wire.
func settingsOf(h *ingot.Hypervisor) map[string]any {
	ratios, reserved := map[string]any{}, map[string]any{}
	for _, resource := range ingot.Resources() {
		ratios[string(resource)], reserved[string(resource)] = float64(ingot.DefaultRatio)/1000, h.Reserved[resource]
		if ratio, set := h.Ratios[resource]; set {
			ratios[string(resource)] = float64(ratio) / 1000
		}
	}
	return map[string]any{
		"type": h.Type, "uri": h.URI, "allocation_ratio": ratios, "reserved": reserved,
		"pools": append([]ingot.StoragePool{}, h.Pools...), "networks": append([]ingot.GuestNetwork{}, h.Networks...), "cpu": h.CPU,
		"on_host_failure": h.OnHostFailure, "autostart": h.Autostart, "migration_tls": h.MigrationTLS, "disabled": h.Disabled, "draining": h.Draining,
	}
}

// strict fills a struct from a body's object, and refuses fields that it has not and values of another type.
func strict(body, into any) error {
	if _, isObject := body.(map[string]any); !isObject {
		return ingot.Errorf(ingot.Invalid, "Expected an object in the request's body: %s", repr(body))
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return ingot.Errorf(ingot.Invalid, "%s can not be a %s", wrong.Field, wrong.Value)
	case err != nil:
		return ingot.Errorf(ingot.Invalid, "Unexpected arguments: %s", strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return nil
}
