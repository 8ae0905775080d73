package hypervisor

import "strings"

// keeping is the document with what the domain got since it was first defined: notes, the machine type that libvirt chose
// then (another one is other hardware to the system), the config drive, the medium, the disks that people plugged in, the
// places of its network cards, by which systems name them, and the boot order.
func (d *document) keeping(old *document) (*document, error) {
	if notes := old.at("metadata"); notes != nil {
		d.replace(d.at("metadata"), old.source(notes))
	}
	if machine := old.at("os", "type"); machine != nil {
		d.replace(d.at("os", "type"), old.source(machine))
	}
	if drive := old.drive(); drive != nil && mediaOf(drive) != "" {
		d.replace(d.drive(), old.source(drive))
	}
	if drive := old.configDrive(); drive != nil {
		d.add(d.at("devices"), old.source(drive))
	}
	for _, disk := range old.plugged() {
		d.add(d.at("devices"), old.source(disk))
	}
	for mac, card := range d.cards() {
		if place := old.cards()[mac].child("address"); place != nil {
			d.add(card, old.source(place))
		}
	}
	again, err := parse(d.String())
	if err != nil {
		return nil, err
	}
	again.order(again.override().Device)
	return parse(again.String())
}

// cards are the network cards, by their addresses on the network.
func (d *document) cards() map[string]*element {
	cards := map[string]*element{}
	for _, e := range d.at("devices").list() {
		if e.name == "interface" {
			cards[strings.ToLower(e.child("mac").attr("address"))] = e
		}
	}
	return cards
}

// configDrive is the drive with a config drive in it; nil where there is none.
func (d *document) configDrive() *element {
	for _, e := range d.at("devices").list() {
		if e.name == "disk" && strings.HasSuffix(mediaOf(e), configSuffix) {
			return e
		}
	}
	return nil
}

// plugged are the disks that are neither the guest's own, which are named after it, nor its drives: people plugged them in.
func (d *document) plugged() (disks []*element) {
	own, medium, config := d.at("uuid").text()+".", d.drive(), d.configDrive()
	for _, e := range d.at("devices").list() {
		if e.name == "disk" && e != medium && e != config && !strings.HasPrefix(e.child("source").attr("volume"), own) {
			disks = append(disks, e)
		}
	}
	return disks
}

// setConfigDrive has the drive with a config drive, or none.
func (d *document) setConfigDrive(disk string) {
	switch old := d.configDrive(); {
	case old != nil && disk == "":
		d.replace(old, "")
	case old == nil && disk != "":
		d.add(d.at("devices"), disk)
	}
}
