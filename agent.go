package ingot

import "time"

// Agent is what is known of the ramdisk agent that runs on a node. Every power-off by an operation wipes it.
type Agent struct {
	URL         string `json:"url,omitempty"` // callback URL of its command API, https://ADDRESS:9999
	Version     string `json:"version,omitempty"`
	CA          string `json:"ca,omitempty"`          // PEM of the certificate that its API presents (heartbeat's agent_verify_ca)
	Fingerprint string `json:"fingerprint,omitempty"` // SHA-256 of that certificate, hex: the identity of this boot
	Token       Secret `json:"-"`                     // one-time token given at lookup; stored encrypted, apart
	// TokenFor is the address that the token was given to: until the first heartbeat with it, a lookup from the
	// same address gets the same token again, since a lost reply must not kill a machine.
	TokenFor  string    `json:"token_for,omitempty"`
	Heartbeat time.Time `json:"heartbeat,omitzero"` // last authenticated heartbeat
	// Restarted is when a lookup came after the token had been used: the machine was started again behind our back.
	Restarted time.Time `json:"restarted,omitzero"`
}

// Present says whether an agent has called in since the node was last powered off.
func (a Agent) Present() bool { return a.URL != "" && !a.Heartbeat.IsZero() }

// Heartbeat is what an agent says of itself (Ironic: POST /v1/heartbeat/{node}, since 1.22).
type Heartbeat struct {
	CallbackURL   string
	Token         Secret
	Version       string // since 1.36
	CA            string // PEM, since 1.68
	Status        string // start, end, error: since 1.72
	StatusMessage string
	From          string // address that the request came from
}

// CommandStatus is the state of an agent command (ironic-python-agent's AgentCommandStatus).
type CommandStatus string

// The command states.
const (
	CommandRunning   CommandStatus = "RUNNING"
	CommandSucceeded CommandStatus = "SUCCEEDED"
	CommandFailed    CommandStatus = "FAILED"
	// CommandVersionMismatch is CLEAN_VERSION_MISMATCH: the agent's hardware managers changed under a step list.
	CommandVersionMismatch CommandStatus = "CLEAN_VERSION_MISMATCH"
)

// AgentRequest is a command for an agent: POST {agent}/v1/commands/.
type AgentRequest struct {
	Name   string         `json:"name"` // extension.command, such as standby.prepare_image
	Params map[string]any `json:"params"`
}

// AgentCommand is a command as the agent lists it: GET {agent}/v1/commands/. Its name carries no extension.
type AgentCommand struct {
	ID     string         `json:"id"`
	Name   string         `json:"command_name"`
	Params map[string]any `json:"command_params"`
	Status CommandStatus  `json:"command_status"`
	Error  *AgentError    `json:"command_error"`
	Result map[string]any `json:"command_result"`
	Extra  *AgentProgress `json:"progress,omitempty"` // Ingot's extension: how far a running command is
}

// AgentError is why a command failed (ironic-python-agent's RESTError).
type AgentError struct {
	Type    string `json:"type"`
	Code    int    `json:"code"`
	Message string `json:"message"`
	Details string `json:"details"`
}

// Error is the details, or what else the agent gave.
func (e *AgentError) Error() string {
	switch {
	case e.Details != "":
		return e.Details
	case e.Message != "":
		return e.Message
	}
	return e.Type
}

// AgentProgress is how far a running command is.
type AgentProgress struct {
	Phase string  `json:"phase"` // download, write, verify, erase
	Done  int64   `json:"done"`  // bytes
	Total int64   `json:"total"` // bytes; 0 when not known
	Rate  float64 `json:"rate"`  // bytes a second, lately
}

// Inventory is a machine's hardware as an agent reports it (ironic-python-agent's list_hardware_info; Ironic:
// continue_inspection since 1.84, GET /v1/nodes/{id}/inventory since 1.81).
type Inventory struct {
	Interfaces   []InventoryInterface `json:"interfaces"`
	CPU          InventoryCPU         `json:"cpu"`
	Disks        []InventoryDisk      `json:"disks"`
	Memory       InventoryMemory      `json:"memory"`
	BMCAddress   string               `json:"bmc_address,omitempty"`
	BMCV6Address string               `json:"bmc_v6address,omitempty"`
	SystemVendor InventoryVendor      `json:"system_vendor"`
	Boot         InventoryBoot        `json:"boot"`
	Hostname     string               `json:"hostname,omitempty"`
}

// InventoryInterface is a network interface.
type InventoryInterface struct {
	Name        string `json:"name"`
	MAC         string `json:"mac_address"`
	IPv4        string `json:"ipv4_address,omitempty"`
	IPv6        string `json:"ipv6_address,omitempty"`
	HasCarrier  bool   `json:"has_carrier"`
	Vendor      string `json:"vendor,omitempty"`  // PCI vendor ID, 0x8086
	Product     string `json:"product,omitempty"` // PCI device ID
	BIOSDevName string `json:"biosdevname,omitempty"`
	ClientID    string `json:"client_id,omitempty"`
	PCIAddress  string `json:"pci_address,omitempty"`
	Driver      string `json:"driver,omitempty"`
	SpeedMbps   int    `json:"speed_mbps,omitempty"`
	LLDP        any    `json:"lldp,omitempty"`
}

// InventoryCPU is the processors together.
type InventoryCPU struct {
	Model        string   `json:"model_name"`
	Frequency    string   `json:"frequency"` // MHz, as text
	Count        int      `json:"count"`     // logical processors
	Architecture string   `json:"architecture"`
	Flags        []string `json:"flags,omitempty"`
	Sockets      int      `json:"socket_count,omitempty"`
}

// InventoryDisk is a block device that could take an image.
type InventoryDisk struct {
	Name               string `json:"name"` // /dev/sda
	Model              string `json:"model,omitempty"`
	Size               int64  `json:"size"` // bytes
	Rotational         bool   `json:"rotational"`
	WWN                string `json:"wwn,omitempty"`
	WWNWithExtension   string `json:"wwn_with_extension,omitempty"`
	WWNVendorExtension string `json:"wwn_vendor_extension,omitempty"`
	Serial             string `json:"serial,omitempty"`
	Vendor             string `json:"vendor,omitempty"`
	HCTL               string `json:"hctl,omitempty"`
	ByPath             string `json:"by_path,omitempty"`
	LogicalSectorSize  int    `json:"logical_sectors,omitempty"`
	PhysicalSectorSize int    `json:"physical_sectors,omitempty"`
	ReadOnly           bool   `json:"read_only,omitempty"`
}

// InventoryMemory is the memory: Total is what the kernel sees, in bytes; PhysicalMB what the firmware says is fitted.
type InventoryMemory struct {
	Total      int64 `json:"total"`
	PhysicalMB int   `json:"physical_mb,omitempty"`
}

// InventoryVendor is the machine's make (SMBIOS type 1).
type InventoryVendor struct {
	Product      string             `json:"product_name"`
	Serial       string             `json:"serial_number"`
	Manufacturer string             `json:"manufacturer"`
	Firmware     *InventoryFirmware `json:"firmware,omitempty"`
}

// InventoryFirmware is the system firmware (SMBIOS type 0).
type InventoryFirmware struct {
	Vendor    string `json:"vendor"`
	Version   string `json:"version"`
	BuildDate string `json:"build_date"`
}

// InventoryBoot is how the ramdisk was booted.
type InventoryBoot struct {
	CurrentMode  string `json:"current_boot_mode"` // bios or uefi
	PXEInterface string `json:"pxe_interface,omitempty"`
}
