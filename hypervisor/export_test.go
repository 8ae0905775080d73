package hypervisor

import "github.com/ingot-metal/ingot"

// DomainXML is a guest's domain as it is defined.
func DomainXML(n *ingot.Node, ports []ingot.Port, host *ingot.Hypervisor, consoleLog string) (string, error) {
	s, err := shapeOf(n, ports, host)
	if err != nil {
		return "", err
	}
	return domainXML(s, consoleLog)
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
