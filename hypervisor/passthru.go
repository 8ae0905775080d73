package hypervisor

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// knownArguments refuses arguments that nothing would read.
func knownArguments(method string, args map[string]any, known []string) error {
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if !slices.Contains(known, name) {
			return ingot.Errorf(ingot.Invalid, "method %s has no argument %s; it has: %s", method, name, strings.Join(append(slices.Clone(known), "no other"), ", "))
		}
	}
	return nil
}

// ofGuests are the names of volumes that are a node's: disks, config drives, consoles.
var ofGuests = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.`)

// checkVolume refuses volumes that are no guest's to plug in: other guests' own, and images that disks begin as.
func checkVolume(args map[string]any) error {
	name := ingot.Text(args, "volume")
	switch {
	case name == "":
		return ingot.Errorf(ingot.Invalid, "missing argument volume: the name of a volume in the pool")
	case strings.Contains(name, "/"):
		return ingot.Errorf(ingot.Invalid, "volume %q is a path: give the name of a volume in the pool", name)
	case ofGuests.MatchString(name), strings.HasPrefix(name, basePrefix), name == canaryName:
		return ingot.Errorf(ingot.Invalid, "volume %s is Ingot's own, and is not for plugging in", name)
	}
	for _, key := range []string{"pool", "format"} {
		if _, isText := args[key].(string); args[key] != nil && !isText {
			return ingot.Errorf(ingot.Invalid, "argument %s is no text", key)
		}
	}
	if format := ingot.Text(args, "format"); format != "" && format != "raw" && format != "qcow2" {
		return ingot.Errorf(ingot.Invalid, "format %q is neither raw nor qcow2", format)
	}
	return nil
}

// agentCommands are those of the guest agent that only look (QEMU: qapi/guest agent). The others write files, run
// programs or set passwords in a system that is its user's.
var agentCommands = []string{
	"guest-ping", "guest-info", "guest-get-time", "guest-get-timezone", "guest-get-host-name", "guest-get-osinfo", "guest-get-users",
	"guest-get-fsinfo", "guest-get-disks", "guest-get-vcpus", "guest-get-memory-blocks", "guest-network-get-interfaces", "guest-fsfreeze-status",
}

func checkAgent(args map[string]any) error {
	if command := ingot.Text(args, "command"); !slices.Contains(agentCommands, command) {
		return ingot.Errorf(ingot.Invalid, "command %q is not one of %s", command, strings.Join(agentCommands, ", "))
	}
	if _, isObject := args["arguments"].(map[string]any); args["arguments"] != nil && !isObject {
		return ingot.Errorf(ingot.Invalid, "argument arguments is no object")
	}
	return nil
}

// disk finds the disk with a volume in it; nil where there is none.
func (d *document) disk(pool, volume string) *element {
	for _, e := range d.at("devices").list() {
		source := e.child("source")
		if e.name == "disk" && source.attr("pool") == pool && source.attr("volume") == volume {
			return e
		}
	}
	return nil
}

// freeTarget is the first place for a virtio disk that none has; "" when there is none.
func (d *document) freeTarget() string {
	taken := map[string]bool{configTarget: true}
	for _, e := range d.at("devices").list() {
		taken[e.child("target").attr("dev")] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		if at := "vd" + string(c); !taken[at] {
			return at
		}
	}
	return ""
}

// dataDisk is the XML of a disk that is plugged in beside the guest's own.
func dataDisk(pool, volume, format, target string) string {
	return `<disk type="volume" device="disk"><driver name="qemu" type="` + escape(format) + `"/><source pool="` + escape(pool) + `" volume="` + escape(volume) +
		`"/><target dev="` + escape(target) + `" bus="virtio"/></disk>`
}
