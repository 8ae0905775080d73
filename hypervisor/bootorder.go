package hypervisor

import (
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// namespace is of what Ingot writes into a domain's metadata.
const namespace = "https://ingot-metal.github.io/guest/1"

// The names of volumes end in what they are.
const (
	configSuffix  = ".config.iso"
	consoleSuffix = ".console.log"
)

// override reads which device was asked for; no device where none was, and the machine boots by its usual order. The
// firmware mode is the domain's own, whether asked for or not.
func (d *document) override() ingot.BootSetting {
	boot := d.at("metadata", "ingot:guest", "ingot:boot")
	return ingot.BootSetting{
		Device: ingot.BootDevice(boot.attr("device")), Persistent: boot.attr("persistent") == "yes", Mode: d.mode(),
	}
}

// setOverride writes it, and the order of devices that goes with it. libvirt has no order for one start: whoever starts
// the domain takes it back.
func (d *document) setOverride(want ingot.BootSetting) {
	if now := d.override(); now.Device != want.Device || now.Persistent != want.Persistent {
		d.noteBoot(want)
	}
	d.order(want.Device)
}

func (d *document) noteBoot(want ingot.BootSetting) {
	note := ""
	if want.Device != "" {
		persistent := map[bool]string{true: "yes", false: "no"}[want.Persistent]
		note = `<ingot:boot device="` + escape(string(want.Device)) + `" persistent="` + persistent + `"/>`
	}
	d.note("ingot:boot", note)
}

// note keeps an element of ours in the domain's metadata; "" takes it out.
func (d *document) note(name, text string) {
	metadata, guest := d.at("metadata"), d.at("metadata", "ingot:guest")
	switch old := guest.child(name); {
	case old != nil:
		d.replace(old, text)
	case text == "":
	case guest != nil:
		d.add(guest, text)
	default:
		own := `<ingot:guest xmlns:ingot="` + namespace + `">` + text + `</ingot:guest>`
		if metadata != nil {
			d.add(metadata, own)
			return
		}
		d.add(d.root, "<metadata>"+own+"</metadata>")
	}
}

// order gives the devices that a machine can boot from their places: those of the wanted sort first, then the disks and
// the network as machines do by themselves.
func (d *document) order(first ingot.BootDevice) {
	sorts := map[ingot.BootDevice][]*element{}
	devices := d.at("devices")
	if devices == nil {
		return
	}
	for _, e := range devices.children {
		if sort := bootSort(e); sort != "" {
			sorts[sort] = append(sorts[sort], e)
		}
	}
	if os := d.at("os"); os != nil { // libvirt takes either these or an order by device
		for _, e := range os.children {
			if e.name == "boot" {
				d.replace(e, "")
			}
		}
	}
	place := 0
	done := map[ingot.BootDevice]bool{}
	for _, sort := range []ingot.BootDevice{first, ingot.BootDisk, ingot.BootPXE, ingot.BootCDROM} {
		if done[sort] {
			continue
		}
		done[sort] = true
		for _, e := range sorts[sort] {
			place++
			d.setPlace(e, place)
		}
	}
}

// setPlace is the device's place in the order.
func (d *document) setPlace(e *element, place int) {
	text := `<boot order="` + strconv.Itoa(place) + `"/>`
	switch boot := e.child("boot"); {
	case boot == nil:
		d.add(e, text)
	case boot.attr("order") != strconv.Itoa(place):
		d.replace(boot, text)
	}
}

// bootSort is what a device is to a machine that looks for something to boot; "" nothing. A config drive has nothing to
// boot, and neither has an empty drive.
func bootSort(e *element) ingot.BootDevice {
	switch {
	case e.name == "interface":
		return ingot.BootPXE
	case e.name != "disk", strings.HasSuffix(mediaOf(e), configSuffix):
		return ""
	case e.attr("device") == "" || e.attr("device") == "disk":
		return ingot.BootDisk
	case e.attr("device") == "cdrom" && mediaOf(e) != "":
		return ingot.BootCDROM
	}
	return ""
}

// mediaOf names what is in a drive: a volume, a file or the path of a URL.
func mediaOf(disk *element) string {
	source := disk.child("source")
	for _, name := range []string{"volume", "file", "name", "dev"} {
		if value := source.attr(name); value != "" {
			return value
		}
	}
	return ""
}

// mode is the firmware interface that the domain starts with.
func (d *document) mode() ingot.BootMode {
	os := d.at("os")
	if os.attr("firmware") == "efi" || os.child("loader").attr("type") == "pflash" {
		return ingot.ModeUEFI
	}
	return ingot.ModeBIOS
}

// setMode has the domain start with other firmware, which libvirt finds by itself. The variables that UEFI kept are
// left where they are.
func (d *document) setMode(want ingot.BootMode) {
	os := d.at("os")
	if os == nil || want == "" || want == d.mode() {
		return
	}
	var kept strings.Builder
	for _, e := range os.children {
		switch e.name {
		case "loader", "nvram", "firmware", "boot":
		default:
			kept.WriteString(d.source(e))
		}
	}
	if want == ingot.ModeUEFI {
		d.replace(os, `<os firmware="efi">`+kept.String()+insecure+`</os>`)
		return
	}
	d.replace(os, "<os>"+kept.String()+"</os>")
}

// insecure asks libvirt for firmware that starts anything.
const insecure = `<firmware><feature enabled="no" name="secure-boot"/></firmware>`
