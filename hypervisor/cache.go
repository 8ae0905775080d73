package hypervisor

import (
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// cached are the guest's own disks that hosts share, and that its host's page cache is before.
func (d *document) cached(host *ingot.Hypervisor) (disks []*element) {
	own := d.at("uuid").text() + "."
	for _, e := range d.at("devices").list() {
		source, cache := e.child("source"), e.child("driver").attr("cache")
		shared := func(p ingot.StoragePool) bool { return p.Shared && p.Name == source.attr("pool") }
		if e.name == "disk" && strings.HasPrefix(source.attr("volume"), own) && e.child("readonly") == nil &&
			cache != noCache && cache != "directsync" && slices.ContainsFunc(host.Pools, shared) {
			disks = append(disks, e)
		}
	}
	return disks
}

// uncache has a disk without its host's page cache.
func (d *document) uncache(disk *element) {
	driver := disk.child("driver")
	if driver == nil {
		d.add(disk, `<driver cache="`+noCache+`"/>`)
		return
	}
	attrs := ` cache="` + noCache + `"`
	for _, a := range driver.attrs {
		if name := qualified(a.Name); name != "cache" {
			attrs += " " + name + `="` + escape(a.Value) + `"`
		}
	}
	d.replace(driver, "<driver"+attrs+">"+d.text[driver.open:driver.close]+"</driver>")
}
