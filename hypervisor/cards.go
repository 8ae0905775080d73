package hypervisor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// withCards is the document with a network card for each port of a shape and no others. What is right already stays byte for
// byte, and a card that is plugged in elsewhere now keeps its place on the machine's bus: systems name cards by that.
func (d *document) withCards(s *Shape) (*document, error) {
	has := map[string]bool{}
	for _, e := range d.at("devices").list() {
		if e.name != "interface" {
			continue
		}
		i := slices.IndexFunc(s.NICs, func(n NIC) bool { return strings.EqualFold(n.MAC, e.child("mac").attr("address")) })
		switch {
		case i < 0 || has[s.NICs[i].MAC]:
			d.replace(e, "")
			continue
		case !s.NICs[i].is(e):
			text, err := s.NICs[i].text()
			if err != nil {
				return nil, err
			}
			if address := e.child("address"); address != nil {
				text = strings.Replace(text, "</interface>", d.source(address)+"</interface>", 1)
			}
			d.replace(e, text)
		}
		has[s.NICs[i].MAC] = true
	}
	for _, nic := range s.NICs {
		if has[nic.MAC] {
			continue
		}
		text, err := nic.text()
		if err != nil {
			return nil, err
		}
		d.add(d.at("devices"), text)
	}
	if len(d.edits) == 0 {
		return d, nil
	}
	after, err := parse(d.String())
	if err != nil {
		return nil, err
	}
	after.order(after.override().Device)
	return parse(after.String())
}

// is says whether a card of a domain is plugged in as the port says.
func (n *NIC) is(e *element) bool {
	kind, network := "bridge", n.Bridge
	if n.Network != "" {
		kind, network = "network", n.Network
	}
	tag := ""
	if n.VLAN != 0 {
		tag = strconv.FormatUint(uint64(n.VLAN), 10)
	}
	var ips []string
	for _, parameter := range e.child("filterref").list() {
		if parameter.attr("name") == "IP" {
			ips = append(ips, parameter.attr("value"))
		}
	}
	wanted := n.IPs
	if n.Filter == "" {
		wanted = nil
	}
	return e.attr("type") == kind && e.child("source").attr(kind) == network && e.child("vlan").child("tag").attr("id") == tag &&
		e.child("filterref").attr("filter") == n.Filter && slices.Equal(slices.Sorted(slices.Values(ips)), slices.Sorted(slices.Values(wanted)))
}

// text is the card's XML.
func (n *NIC) text() (string, error) {
	device := n.device()
	text, err := device.Marshal()
	if err != nil {
		return "", fmt.Errorf("cannot write the XML of network card %s: %w", n.MAC, err)
	}
	return text, nil
}
