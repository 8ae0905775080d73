package vbmc

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// bootMode is the firmware mode that clients see and override.
type bootMode struct {
	mu     sync.Mutex
	legacy bool
}

// Values of Redfish's boot override (ComputerSystem schema, Boot).
const (
	overrideDisabled   = "Disabled"
	overrideOnce       = "Once"
	overrideContinuous = "Continuous"
	modeUEFI           = "UEFI"
	modeLegacy         = "Legacy"
)

// bootTarget pairs a boot device with its Redfish name.
type bootTarget struct {
	device BootDevice
	name   string
}

func bootTargets() []bootTarget {
	return []bootTarget{{BootNone, "None"}, {BootPXE, "Pxe"}, {BootDisk, "Hdd"}, {BootCDROM, "Cd"},
		{BootBIOS, "BiosSetup"}, {BootUEFIHTTP, "UefiHttp"}}
}

func bootTargetNames() []string {
	var names []string
	for _, target := range bootTargets() {
		names = append(names, target.name)
	}
	return names
}

// resetTypes pairs Redfish's reset types with what they ask.
func resetTypes() map[string]request {
	return map[string]request{"On": askOn, "ForceOn": askOn, "ForceOff": askOff, "GracefulShutdown": askShutdown,
		"ForceRestart": askReset, "PowerCycle": askCycle, "Nmi": askNMI, "PushPowerButton": askButton}
}

func resetTypeNames() []string {
	var names []string
	for name := range resetTypes() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// system answers GET of the ComputerSystem.
func (r *redfishServer) system(ctx context.Context, _ []byte) (answer, error) {
	on, err := r.server.Machine.Power(ctx)
	if err != nil {
		return answer{}, err
	}
	state := "Off"
	if on {
		state = "On"
	}
	d := r.server.device
	body := object{"@odata.id": systemPath, "@odata.type": "#ComputerSystem.v1_20_1.ComputerSystem",
		"Id": "1", "Name": d.Model, "SystemType": "Virtual", "Manufacturer": d.Manufacturer, "Model": d.Model,
		"SerialNumber": d.Serial, "UUID": d.UUID.String(), "PowerState": state, "Status": healthy(),
		"Boot": r.bootObject(), "EthernetInterfaces": link(portsPath),
		"Links": object{"Chassis": links(boxPath), "ManagedBy": links(managerPath)},
		"Actions": object{"#ComputerSystem.Reset": object{"target": systemPath + "/Actions/ComputerSystem.Reset",
			"ResetType@Redfish.AllowableValues": resetTypeNames()}}}
	if d.CPUs > 0 {
		body["ProcessorSummary"] = object{"Count": 1, "LogicalProcessorCount": d.CPUs, "Status": healthy()}
	}
	if d.MemoryMiB > 0 {
		body["MemorySummary"] = object{"TotalSystemMemoryGiB": float64(d.MemoryMiB) / 1024, "Status": healthy()}
	}
	return answer{body: body}, nil
}

// bootObject is the boot override as Redfish shows it.
func (r *redfishServer) bootObject() object {
	boot := r.server.control.override()
	r.mode.mu.Lock()
	efi := !r.mode.legacy
	r.mode.mu.Unlock()
	enabled, target := overrideDisabled, "None"
	if boot.Set() {
		enabled, efi = overrideOnce, boot.EFI
		if boot.Persistent {
			enabled = overrideContinuous
		}
		for _, t := range bootTargets() {
			if t.device == boot.Device {
				target = t.name
			}
		}
	}
	mode := modeLegacy
	if efi {
		mode = modeUEFI
	}
	return object{"BootSourceOverrideEnabled": enabled, "BootSourceOverrideTarget": target, "BootSourceOverrideMode": mode,
		"HttpBootUri": boot.URI,
		"BootSourceOverrideEnabled@Redfish.AllowableValues": []string{overrideDisabled, overrideOnce, overrideContinuous},
		"BootSourceOverrideTarget@Redfish.AllowableValues":  bootTargetNames(),
		"BootSourceOverrideMode@Redfish.AllowableValues":    []string{modeUEFI, modeLegacy}}
}

// resetSystem answers the action ComputerSystem.Reset.
func (r *redfishServer) resetSystem(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "ResetType")
	if err != nil {
		return answer{}, err
	}
	kind, err := choice(values, "ResetType", resetTypeNames())
	if err != nil {
		return answer{}, err
	}
	if kind == "" {
		return answer{}, refuseProperty("ActionParameterMissing", "ResetType", "The action needs a ResetType.")
	}
	ask := resetTypes()[kind]
	c := note(ctx, VerbPower, string(ask))
	changed, err := r.server.control.act(ctx, ask)
	if err == nil && !changed {
		c.Outcome = OutcomeUnchanged
	}
	return answer{}, err
}

// patchSystem changes the boot override; what is left out stays as it is.
func (r *redfishServer) patchSystem(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "Boot")
	if err != nil {
		return answer{}, err
	}
	raw, ok := values["Boot"]
	if !ok {
		return answer{}, refuseProperty("PropertyMissing", "Boot", "There is nothing to change: only Boot can be.")
	}
	wanted, err := properties(raw, "BootSourceOverrideEnabled", "BootSourceOverrideTarget", "BootSourceOverrideMode", "HttpBootUri")
	if err != nil {
		return answer{}, err
	}
	boot, err := r.wantedBoot(wanted)
	if err != nil {
		return answer{}, err
	}
	note(ctx, VerbBootDevice, boot.String())
	r.mode.mu.Lock()
	r.mode.legacy = !boot.EFI
	r.mode.mu.Unlock()
	r.server.control.setOverride(boot, false)
	return r.system(ctx, nil)
}

// wantedBoot is the present boot override with a client's changes.
func (r *redfishServer) wantedBoot(wanted map[string]json.RawMessage) (Boot, error) {
	enabled, err := choice(wanted, "BootSourceOverrideEnabled", []string{overrideDisabled, overrideOnce, overrideContinuous})
	if err != nil {
		return Boot{}, err
	}
	target, err := choice(wanted, "BootSourceOverrideTarget", bootTargetNames())
	if err != nil {
		return Boot{}, err
	}
	mode, err := choice(wanted, "BootSourceOverrideMode", []string{modeUEFI, modeLegacy})
	if err != nil {
		return Boot{}, err
	}
	uri, err := text(wanted, "HttpBootUri")
	if err != nil {
		return Boot{}, err
	}
	boot := r.server.control.override()
	// gofish sends back what it read, so an address that was there is no wish.
	newURI := uri != "" && uri != boot.URI
	if !boot.Set() {
		r.mode.mu.Lock()
		boot.EFI = !r.mode.legacy
		r.mode.mu.Unlock()
	}
	for _, t := range bootTargets() {
		if t.name == target {
			boot.Device = t.device
		}
	}
	if mode != "" {
		boot.EFI = mode == modeUEFI
	}
	if enabled != "" {
		boot.Persistent = enabled == overrideContinuous
	}
	if _, given := wanted["HttpBootUri"]; given {
		boot.URI = uri
	}
	if newURI && boot.Device != BootUEFIHTTP {
		return Boot{}, refuseProperty("PropertyValueConflict", "Boot/HttpBootUri", "HttpBootUri needs the target UefiHttp.")
	}
	err = checkBoot(&boot, enabled, target)
	return boot, err
}

// checkBoot refuses combinations without a meaning and clears an override that
// was switched off.
func checkBoot(boot *Boot, enabled, target string) error {
	switch {
	case enabled == overrideDisabled:
		*boot = Boot{EFI: boot.EFI}
	case enabled != "" && target == "" && !boot.Set():
		return refuseProperty("PropertyMissing", "Boot/BootSourceOverrideTarget", "An override needs a target.")
	case boot.Device == BootUEFIHTTP && !boot.EFI:
		return refuseProperty("PropertyValueConflict", "Boot/BootSourceOverrideMode", "HTTP boot needs the mode UEFI.")
	case boot.Device != BootUEFIHTTP:
		boot.URI = ""
	}
	return nil
}

// port is the resource of a network port.
func port(path, mac string) object {
	name := path[len(portsPath)+1:]
	return object{"@odata.id": path, "@odata.type": "#EthernetInterface.v1_9_0.EthernetInterface", "Id": name,
		"Name": name, "MACAddress": mac, "PermanentMACAddress": mac, "InterfaceEnabled": true,
		"LinkStatus": "LinkUp", "Status": healthy()}
}
