package main

import (
	"slices"
	"strings"
)

// known is a difference that is meant, with its reason. Its patterns may have "*" for anything; "" fits everything.
type known struct {
	aspect  string // of the difference
	request string // "METHOD PATH BODY", as far as it matters
	detail  string // of the difference
	reason  string
}

// The reasons that are given more than once.
const (
	newer    = "Ingot speaks newer microversions"
	no500    = "Ironic answers 500 to what is bad input, or none at all"
	setUp    = "how the two are set up here"
	pecan    = "what Ironic's framework takes the path for"
	fakes    = "Ingot's fake hardware does what real one does"
	twoParts = "Ironic looks at what is named after it has looked at the version, or not at all"
	dumped   = "Ironic dumps its schema there"
	harmless = "Ingot finds what is meant"
)

// knownDifferences are all that are meant, found with Debian's Ironic 21.4.
func knownDifferences() []known {
	return slices.Concat(ofRecords(), ofSetUp(), ofHardware(), ofRefusals(), ofAcceptance())
}

// ofRecords are in what records say.
func ofRecords() []known {
	return []known{
		{"status", "", "ironic 500", no500},
		{"value", "GET /", "*version: ironic \"1.82\", ingot \"1.115\"", newer},
		{"header", "GET /", "X-OpenStack-Ironic-API-Version: ironic \"1.82\", ingot \"1.115\"", newer},
		{"status", "GET /v1/nodes", "ironic 406 \"Version 1.83*ingot 200", newer},
		{"header", "GET /v1/", "X-OpenStack-Ironic-API-Version: ironic \"1.1\", ingot", "the generic header came later"},
		{"header", "GET /v1/", "X-OpenStack-Ironic-API-Version: ironic \"1.40\", ingot \"1.50\"", "the generic header came later"},
		{"status", "GET /v1/nodes", "ironic 200*ingot 406 \"*ersion", "the generic header came later"},
		{"words", "GET /v1/nodes", "-1.1 is not named", "that is no version"},
		{"keys", "GET /v1/nodes", "*firmware is ingot's only", newer},
		{"keys", "", "*description is ingot's only: null", "deploy templates have one, without a version of its own"},
		{"status", "POST /v1/ports", "*('name' was unexpected)\", ingot 406", newer},
		{"status", "", "ironic 400 \"Expected UUID for port_uuid: nope\", ingot 404", newer},
		{"value", "GET /v1", ".links[1].href", "each has a documentation of its own"},
		{"keys", "GET /v1", ".networks is ingot's only", "Ironic has not got them"},
		{"value", "", ".nodes: ironic has 1, ingot 2", "Ironic has put this list into another one"},
		{"value", "GET /v1", ".next: ironic", "Ingot repeats the parameters that were given, Ironic its defaults"},
		{"value", "", "*conductor: ironic \"localhost\", ingot null", "Ingot's nodes are nobody's until somebody works on them"},
		{"value", "PATCH /v1/nodes", ".reservation: ironic \"localhost\", ingot null", "Ironic shows the node as it was while it was changed"},
		{"value", "", "*automated_clean: ironic false, ingot null", "Ironic cannot remove it"},
		{"keys", "", "*driver_internal_info.", "what each keeps for itself"},
		{"keys", "GET /v1/nodes", ".instance_info.*rescue_password is ironic's only", "Ingot keeps no rescue password"},
	}
}

// ofSetUp come from how the two are set up.
func ofSetUp() []known {
	return []known{
		{"value", "", "*inspect_interface: ironic \"no-inspect\"", setUp},
		{"value", "", "*rescue_interface: ironic \"no-rescue\"", setUp},
		{"value", "GET /v1/drivers", ".enabled_", setUp},
		{"value", "GET /v1/", "*hosts: ironic", setUp},
		{"value", "GET /v1/conductors", "*href: ironic*localhost", setUp},
		{"value", "GET /v1/nodes/ex6/validate", "", setUp},
		{"keys", "GET /v1/nodes/ex6/validate", "", setUp},
	}
}

// ofHardware come from the hardware that is pretended.
func ofHardware() []known {
	return []known{
		{"value", "", "*boot_mode: ironic null", fakes},
		{"value", "", "*secure_boot: ironic null", fakes},
		{"value", "", "*power_state: ironic ", fakes},
		{"keys", "", "*properties.", fakes},
		{"value", "", "*properties.memory_mb", fakes},
		{"value", "", "*inspection_started_at: ironic null", fakes},
		{"value", "GET /v1/nodes/*/management/boot_device", "", fakes},
		{"status", "PUT /v1/nodes/*/management/boot_device?", "ironic 400*ingot 204", fakes},
		{"status", "PUT /v1/nodes/*/management/in", "ironic 400*does not support*ingot 204", fakes},
		{"keys", "GET /v1/nodes/*/vendor_passthru/methods", "*method", "Ingot has the methods of both of Ironic's fake vendors"},
		{"keys", "GET /v1/nodes/*/vendor_passthru/methods", ".log_passthrough", newer},
		{"status", "POST /v1/nodes/*/vendor_passthru?method=first_method", "ironic 400*ingot 202", "Ingot has the methods of both of Ironic's fake vendors"},
	}
}

// ofRefusals are in how requests are refused.
func ofRefusals() []known {
	return []known{
		{"status", "HEAD", "ironic 405*ingot 200", "HTTP has HEAD wherever it has GET"},
		{"status", "", "ironic 400 \"Missing mandatory parameter*ingot 40", pecan},
		{"status", "POST /v1/", "ironic 400 \"Schema error for*is not of type 'object'*ingot 405", pecan},
		{"status", "GET /v1/", "ironic 400 \"Field*nothing*ingot 404", pecan},
		{"status", "GET /v1/nodes/maintenance", "ironic 405*ingot 404", pecan},
		{"status", "GET /v1/nodes/*/ports/", "ironic 403*ingot 400", "newer Ironics answer 400"},
		{"shape", "", "ironic [error_message][debuginfo faultcode faultstring]Client, ingot [error_message][code description title]", pecan},
		{"words", "", "ironic \"The *ould not *\", ingot \"\"", pecan},
		{"words", "GET /v1/nodes/ex1.json", "ex1.json", "Ironic looks for both names, and names the longer one"},
		{"words", "PATCH /v1/nodes", "*Cannot change name to invalid name '5'", "Ingot looks at the type before"},
		{"words", "PUT /v1/nodes/", "*is not named: ironic \"Invalid *_steps", dumped},
		{"words", "POST /v1/events", "port_id", "Ironic looks at an event's fields one by one"},
	}
}

// ofAcceptance are in what one of them accepts.
func ofAcceptance() []known {
	return []known{
		{"status", "GET /v1/nodes/7e57ab1e000040008000000000000001", "ironic 404*ingot 200", harmless},
		{"status", "GET /v1/nodes/*fields=uuid,links", "ironic 400*ingot 200", harmless},
		{"status", "GET /v1/nodes/*fields=uuid&fields=name", "ironic 400*ingot 200", harmless},
		{"status", "GET /v1/nodes/ex1/ports?fields", "ironic 404 \"Portgroup None*ingot 200", harmless},
		{"status", "GET /v1/nodes/ex2/volume/targets", "ironic 404*ingot 200", harmless},
		{"status", "GET /v1/portgroups/pg1/ports/detail", "ironic 404*ingot 200", harmless},
		{"status", "GET /v1/allocations?detail=true", "ironic 400*ingot 200", harmless},
		{"value", "GET /v1/nodes?description_contains=", ".nodes: ironic has 1, ingot 0", "a percent sign is no wildcard"},
		{"status", "GET /v1/nodes?", "ironic 200*ingot 406", twoParts},
		{"status", "GET /v1/nodes/*/management/indicators", "ironic 200*ingot 404", twoParts},
		{"status", "GET /v1/nodes/*/traits", "ironic 406*ingot 404", "newer Ironics answer 404"},
		{"status", "", "ironic 405*ingot 404", "newer Ironics answer 404"},
		{"status", "GET /v1/nodes/*/bios?fields=nope", "ironic 200*ingot 400", "Ironic looks at fields when there is something to show"},
		{"status", "GET /v1/nodes/*/allocation", "ironic 400*ingot 404", "a node that is not there is 404"},
		{"status", "POST /v1/events", "ironic 400*ingot 404", twoParts},
	}
}

// fits says whether a difference between two answers to the request is this one.
func (k known) fits(a *ask, d difference) bool {
	return k.aspect == d.aspect && like(k.request, a.method+" "+a.path+" "+a.body) && like(k.detail, d.detail)
}

// like says whether the text begins as the pattern does and has its parts in their order.
func like(pattern, text string) bool {
	for i, part := range strings.Split(pattern, "*") {
		at := strings.Index(text, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return true
}
