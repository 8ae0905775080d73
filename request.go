package ingot

import (
	"slices"
	"time"
)

// ProvisionRequest is what a user asks of a node's provision state (Ironic: the body of PUT states/provision). The API
// has checked its shape, and that the verb is in the table for the state the node was seen in; the conductor checks the
// rest again under the node's version.
type ProvisionRequest struct {
	Verb Verb
	// ConfigDrive is for active and rebuild: text (a URL, or base64 of a gzip ISO 9660 image) or, since 1.56, an
	// object with meta_data, user_data, network_data and, since 1.59, vendor_data. It holds secrets: never log it.
	ConfigDrive any
	// CleanSteps, DeploySteps and ServiceSteps are lists of {interface, step, args, …} in the user's order.
	CleanSteps     []map[string]any
	DeploySteps    []map[string]any
	ServiceSteps   []map[string]any
	RescuePassword Secret // for rescue
	DisableRamdisk bool   // clean and service out of band only
	Requester      string // who asked, for history; "" without authentication
	Project        string // of the requester; "" for somebody of the whole service
}

// Verdict is what validation says of one interface of a node. A nil Result means that the node's hardware type does
// not have the interface, and Reason says so.
type Verdict struct {
	Result *bool  `json:"result"`
	Reason string `json:"reason,omitempty"`
}

// PassVerdict is the verdict that nothing is missing.
func PassVerdict() Verdict {
	yes := true
	return Verdict{Result: &yes}
}

// FailVerdict is the verdict that something is missing or wrong, and what.
func FailVerdict(reason string) Verdict {
	no := false
	return Verdict{Result: &no, Reason: reason}
}

// HardwareType is a driver that this service enables, with the implementations it may be combined with (Ironic: GET
// /v1/drivers/{name}, its interface fields since 1.30).
type HardwareType struct {
	Name  string   // ipmi, redfish, fake-hardware, …
	Hosts []string // conductors that carry it, by host name
	// Default is the implementation that a node gets when it names none, by interface kind. A kind that is missing
	// here is one that the hardware type does not have.
	Default map[string]string
	// Enabled are the implementations that a node may name, by interface kind, in order of preference.
	Enabled map[string][]string
	// Properties are the keys of driver_info that the type reads, each with a sentence for people.
	Properties map[string]string
}

// Allows says whether a node of the type may use the implementation for the kind.
func (h HardwareType) Allows(kind, implementation string) bool {
	return slices.Contains(h.Enabled[kind], implementation)
}

// Conductor is a process that carries out operations (Ironic: /v1/conductors, since 1.49).
type Conductor struct {
	Hostname  string
	Group     string
	Alive     bool
	Drivers   []string
	CreatedAt time.Time
	UpdatedAt time.Time // last beat
	// Process is the one that the row is of, random for each start; "" once what it had claimed was put back.
	Process string
	Silent  time.Duration // since the last beat, by the database's clock
	Address string        // HOST:PORT where other processes on the database reach it; "" is nowhere
}
