package hypervisor

import (
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// sharedPool says whether two hosts have the same files in a pool, as operators have said.
func sharedPool(from, to *ingot.Hypervisor, pool string) bool {
	shares := func(p ingot.StoragePool) bool { return p.Name == pool && p.Shared }
	return slices.ContainsFunc(from.Pools, shares) && slices.ContainsFunc(to.Pools, shares)
}

// volumeOf is a volume that a domain has in a drive.
type volumeOf struct {
	pool, name string
	readOnly   bool
}

// volumes are the guest's own, which are named after it. What else it has in its CD drives must be there for any host. A
// guest with another disk cannot be moved (Unsupported): on the other host that name is somebody else's.
func (d *document) volumes() ([]volumeOf, error) {
	var all []volumeOf
	guest := d.at("uuid").text()
	for _, e := range d.at("devices").list() {
		if e.name != "disk" {
			continue
		}
		source := e.child("source")
		here := source.attr("volume") != "" || source.attr("file") != "" || source.attr("dev") != ""
		switch cd := e.attr("device") == "cdrom"; {
		case strings.HasPrefix(source.attr("volume"), guest+"."):
			all = append(all, volumeOf{pool: source.attr("pool"), name: source.attr("volume"), readOnly: e.child("readonly") != nil})
		case cd && here:
			return nil, ingot.Errorf(ingot.Unsupported, "guest %s has %s in a drive, which is on its host alone: eject it first", guest, mediaOf(e))
		case !cd:
			return nil, ingot.Errorf(ingot.Unsupported, "guest %s has disk %s plugged in (%s), which is not its own: detach it first", guest, mediaOf(e), e.child("target").attr("dev"))
		}
	}
	return all, nil
}

// destined is the document for the host that a shape was worked out for: its pool, its networks, its place for what the
// console says.
func (d *document) destined(s *Shape, consoleLog string) (*document, error) {
	for _, e := range d.at("devices").list() {
		switch e.name {
		case "disk":
			if source := e.child("source"); source.attr("volume") != "" {
				d.replace(source, `<source pool="`+escape(s.Pool)+`" volume="`+escape(source.attr("volume"))+`"/>`)
			}
		case "interface":
			if err := d.plug(e, s); err != nil {
				return nil, err
			}
		case "serial", "console":
			if log := e.child("log"); log != nil {
				text := ""
				if consoleLog != "" {
					text = `<log file="` + escape(consoleLog) + `" append="on"/>`
				}
				d.replace(log, text)
			}
		}
	}
	return parse(d.String())
}

// plug has a network card in the other host's bridge or network of its port's.
func (d *document) plug(e *element, s *Shape) error {
	mac := e.child("mac").attr("address")
	i := slices.IndexFunc(s.NICs, func(n NIC) bool { return strings.EqualFold(n.MAC, mac) })
	if i < 0 {
		return ingot.Errorf(ingot.Unsupported, "the guest has a network card %s, and no port of that address: it cannot be moved before it was switched off and on", mac)
	}
	nic := &s.NICs[i]
	kind, source := "bridge", `<source bridge="`+escape(nic.Bridge)+`"/>`
	if nic.Network != "" {
		kind, source = "network", `<source network="`+escape(nic.Network)+`"/>`
	}
	if e.attr("type") != kind || e.child("source") == nil {
		return ingot.Errorf(ingot.Unsupported, "network card %s is of type %s, and the other host has a %s for its network: it cannot be moved", mac, e.attr("type"), kind)
	}
	d.replace(e.child("source"), source)
	return nil
}
