package hypervisor

import (
	"time"

	"github.com/ingot-metal/ingot"
)

// DomainXML is a guest's domain as it is defined.
func DomainXML(n *ingot.Node, ports []ingot.Port, host *ingot.Hypervisor, consoleLog string) (string, error) {
	s, err := shapeOf(n, ports, host)
	if err != nil {
		return "", err
	}
	return domainXML(s, consoleLog)
}

// WithCards is a domain with the network cards of ports.
func WithCards(text string, n *ingot.Node, ports []ingot.Port, host *ingot.Hypervisor) (string, error) {
	s, err := shapeOf(n, ports, host)
	if err != nil {
		return "", err
	}
	d, err := parse(text)
	if err != nil {
		return "", err
	}
	after, err := d.withCards(&s)
	if err != nil {
		return "", err
	}
	return after.text, nil
}

// CheckHost is Check, in every build.
func CheckHost(h *ingot.Hypervisor) error { return checkHost(h) }

// Booting gives a domain with another boot device, and how it then reads.
func Booting(text string, want ingot.BootSetting) (string, ingot.BootSetting, error) {
	d, err := parse(text)
	if err != nil {
		return "", ingot.BootSetting{}, err
	}
	d.setMode(want.Mode)
	if d, err = parse(d.String()); err != nil {
		return "", ingot.BootSetting{}, err
	}
	d.setOverride(want)
	after, err := parse(d.String())
	if err != nil {
		return "", ingot.BootSetting{}, err
	}
	return after.text, after.override(), nil
}

// Described is what a domain is made of.
func Described(text string) (ingot.Inventory, error) {
	d, err := parse(text)
	if err != nil {
		return ingot.Inventory{}, err
	}
	return d.inventory(), nil
}

// IdleBases judges a pool again and again, and gives the marks that are to come back and the volumes that are to go.
func IdleBases(keep, aside time.Duration) func(volumes []string, under map[string]bool, now time.Time) (mark, drop []string) {
	var t tidied
	return func(volumes []string, under map[string]bool, now time.Time) (mark, drop []string) {
		t.due("h", 0, now)
		v := t.judge("h/p", volumes, func(base string) bool { return under[base] }, keep, aside, now)
		return v.mark, v.drop
	}
}
