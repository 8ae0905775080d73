package ingot

import (
	"encoding/json"
	"strings"
	"time"
)

// Node is a server (or guest) under management. Its fields are Ironic's; the API's field table says since which
// microversion each is seen and who may change it.
type Node struct {
	UUID string
	// Version rises by one with every change of the row, save of Reservation, Conductor and Evidence alone; a change made
	// against an older version is refused.
	Version      int64
	Name         string
	Driver       string // hardware type
	DriverInfo   map[string]any
	Properties   map[string]any
	Extra        map[string]any
	InstanceInfo map[string]any
	InstanceUUID string
	InstanceName string
	ChassisUUID  string

	PowerState           PowerState
	TargetPowerState     PowerState
	ProvisionState       State
	TargetProvisionState State
	ProvisionUpdatedAt   time.Time
	LastError            string
	// Reservation is the conductor whose pass or synchronous request holds the node right now; "" while it waits.
	Reservation       string
	Maintenance       bool
	MaintenanceReason string
	Fault             Fault
	Health            Health
	ConsoleEnabled    bool
	BootMode          BootMode
	SecureBoot        *bool

	RAIDConfig           map[string]any
	TargetRAIDConfig     map[string]any
	CleanStep            map[string]any
	DeployStep           map[string]any
	ServiceStep          map[string]any
	InspectionStartedAt  time.Time
	InspectionFinishedAt time.Time

	ResourceClass   string
	Traits          []string // sorted (Ironic since 1.37): what the machine has, and what it is meant for
	ConductorGroup  string
	Conductor       string // the conductor that last worked for the node
	AutomatedClean  *bool
	Protected       bool
	ProtectedReason string
	Owner           string
	Lessee          string
	Description     string
	AllocationUUID  string
	Retired         bool
	RetiredReason   string
	NetworkData     map[string]any
	Shard           string
	ParentNode      string
	DisablePowerOff bool
	Interfaces      Interfaces

	// Internal is Ironic's driver_internal_info without what has a field of its own.
	Internal map[string]any
	Agent    Agent
	// Boot is what the machine is to boot while an operation has it; its zero value is "as the state says".
	Boot BootTarget
	// Evidence is what the boot service last did for the machine, newest last, at most 16 entries.
	Evidence []Evidence

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Interfaces are the names of a node's thirteen interface implementations.
type Interfaces struct {
	BIOS       string `json:"bios"`
	Boot       string `json:"boot"`
	Console    string `json:"console"`
	Deploy     string `json:"deploy"`
	Firmware   string `json:"firmware"`
	Inspect    string `json:"inspect"`
	Management string `json:"management"`
	Network    string `json:"network"`
	Power      string `json:"power"`
	RAID       string `json:"raid"`
	Rescue     string `json:"rescue"`
	Storage    string `json:"storage"`
	Vendor     string `json:"vendor"`
}

// InterfaceKinds are the thirteen kinds in the order of their names.
func InterfaceKinds() []string {
	return []string{"bios", "boot", "console", "deploy", "firmware", "inspect", "management", "network", "power", "raid", "rescue", "storage", "vendor"}
}

// Field gives the place of one kind's implementation name; nil for a kind that does not exist.
func (i *Interfaces) Field(kind string) *string {
	switch kind {
	case "bios":
		return &i.BIOS
	case "boot":
		return &i.Boot
	case "console":
		return &i.Console
	case "deploy":
		return &i.Deploy
	case "firmware":
		return &i.Firmware
	case "inspect":
		return &i.Inspect
	case "management":
		return &i.Management
	case "network":
		return &i.Network
	case "power":
		return &i.Power
	case "raid":
		return &i.RAID
	case "rescue":
		return &i.Rescue
	case "storage":
		return &i.Storage
	case "vendor":
		return &i.Vendor
	}
	return nil
}

// Fault is what Ingot itself found wrong, mostly with the node put into maintenance, in Ironic's words (since 1.42).
type Fault string

// The faults.
const (
	FaultPower   Fault = "power failure"
	FaultClean   Fault = "clean failure"
	FaultRescue  Fault = "rescue abort failure"
	FaultService Fault = "service failure"
	FaultGuest   Fault = "guest missing" // Ingot's own: a guest's host has no such machine any more
	FaultDisk    Fault = "disk failure"  // Ingot's own: a guest stands still, its host cannot write its disk; no maintenance
)

// BootTarget is what a node's machine is to boot from the network, chosen by its operation and stored before the
// machine is told to start.
type BootTarget struct {
	Action  BootAction `json:"action,omitempty"`
	Purpose string     `json:"purpose,omitempty"` // deploy, clean, inspect, rescue: for people
	Token   string     `json:"token,omitempty"`   // part of the boot files' URLs
}

// Evidence is one thing that the boot service did for a node.
type Evidence struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Port is a network interface of a node.
type Port struct {
	UUID                string
	Version             int64
	NodeUUID            string
	Address             string // MAC, lower case with colons
	Name                string
	Description         string
	PXEEnabled          bool
	LocalLinkConnection map[string]any
	PhysicalNetwork     string
	PortgroupUUID       string
	IsSmartNIC          bool
	Vendor              string
	Category            string
	// ForDynamicGroups lets the port be taken into a group that is made on demand (Ironic:
	// available_for_dynamic_portgroup).
	ForDynamicGroups bool
	Extra            map[string]any
	Internal         map[string]any
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Label names the node in sentences: its name and UUID, or the UUID alone.
func (n *Node) Label() string {
	if n.Name == "" {
		return "node " + n.UUID
	}
	return "node " + n.Name + " (" + n.UUID + ")"
}

// Capability is the value of key in m's capabilities, which Ironic keeps as "key:value,key:value" (properties) or as an
// object or JSON text (instance_info); "" when it is missing.
func Capability(m map[string]any, key string) string {
	switch caps := m["capabilities"].(type) {
	case map[string]any:
		return Text(caps, key)
	case string:
		var object map[string]any
		if json.Unmarshal([]byte(caps), &object) == nil {
			return Text(object, key)
		}
		for _, pair := range strings.Split(caps, ",") {
			if name, value, ok := strings.Cut(pair, ":"); ok && strings.TrimSpace(name) == key {
				return strings.TrimSpace(value)
			}
		}
	}
	return ""
}
