package hypervisor

import (
	"net"
	"net/url"
	"strings"

	"github.com/ingot-metal/ingot"
)

// drive finds the drive for virtual media: ours, or the first CD drive of a domain that was adopted; nil where there is
// none.
func (d *document) drive() *element {
	var first *element
	for _, e := range d.at("devices").list() {
		if e.name != "disk" || e.attr("device") != "cdrom" || strings.HasSuffix(mediaOf(e), configSuffix) {
			continue
		}
		if e.child("target").attr("dev") == mediaTarget {
			return e
		}
		if first == nil {
			first = e
		}
	}
	return first
}

// list is the children of an element that may not be there.
func (e *element) list() []*element {
	if e == nil {
		return nil
	}
	return e.children
}

// medium is what is in the drive.
func (d *document) medium() (ingot.Medium, bool) {
	drive := d.drive()
	if drive == nil {
		return ingot.Medium{}, false
	}
	image := imageURL(drive)
	return ingot.Medium{
		Name: drive.child("target").attr("dev"), Devices: []ingot.MediaDevice{ingot.MediaCDROM}, Types: []string{"CD"},
		Inserted: image != "", Image: image,
	}, true
}

// imageURL says what is in a drive as a URL: file: for what lies on the host.
func imageURL(drive *element) string {
	source := drive.child("source")
	host := source.child("host")
	switch {
	case host != nil:
		u := url.URL{Scheme: source.attr("protocol"), Host: host.attr("name"), Path: "/" + source.attr("name"), RawQuery: source.attr("query")}
		if port := host.attr("port"); port != "" && port != defaultPorts[u.Scheme] {
			u.Host = net.JoinHostPort(u.Host, port)
		}
		return u.String()
	case source.attr("file") != "":
		return "file://" + source.attr("file")
	}
	return mediaOf(drive)
}

// defaultPorts are of the schemes that QEMU reads a drive's image through.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// insertedDrive is the XML of a drive with the image at address in it; "" is an empty drive.
func (d *document) insertedDrive(address string) (string, error) {
	drive := d.drive()
	if drive == nil {
		return "", ingot.Errorf(ingot.Unsupported, "this guest has no CD drive")
	}
	target := d.source(drive.child("target"))
	if address == "" {
		return `<disk type="file" device="cdrom"><driver name="qemu" type="raw"/>` + target + `<readonly/></disk>`, nil
	}
	u, err := url.Parse(address)
	if err != nil || defaultPorts[u.Scheme] == "" || u.Hostname() == "" || u.User != nil {
		return "", ingot.Errorf(ingot.Invalid, "cannot insert %q: give an http:// or https:// URL without a password", address)
	}
	port := u.Port()
	if port == "" {
		port = defaultPorts[u.Scheme]
	}
	query := ""
	if u.RawQuery != "" {
		query = ` query="` + escape(u.RawQuery) + `"`
	}
	return `<disk type="network" device="cdrom"><driver name="qemu" type="raw"/><source protocol="` + u.Scheme + `" name="` +
		escape(strings.TrimPrefix(u.Path, "/")) + `"` + query + `><host name="` + escape(u.Hostname()) + `" port="` + escape(port) + `"/></source>` +
		target + `<readonly/></disk>`, nil
}
