package vbmc

import (
	"context"
	"encoding/json"
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
	return []bootTarget{
		{BootNone, "None"},
		{BootPXE, "Pxe"},
		{BootDisk, "Hdd"},
		{BootCDROM, "Cd"},
		{BootBIOS, "BiosSetup"},
		{BootUEFIHTTP, "UefiHttp"},
	}
}

func bootTargetNames() []string {
	var names []string
	for _, target := range bootTargets() {
		names = append(names, target.name)
	}
	return names
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
	return object{
		"BootSourceOverrideEnabled": enabled, "BootSourceOverrideTarget": target, "BootSourceOverrideMode": mode,
		"HttpBootUri": boot.URI,
		"BootSourceOverrideEnabled@Redfish.AllowableValues": []string{overrideDisabled, overrideOnce, overrideContinuous},
		"BootSourceOverrideTarget@Redfish.AllowableValues":  bootTargetNames(),
		"BootSourceOverrideMode@Redfish.AllowableValues":    []string{modeUEFI, modeLegacy},
	}
}

// patchSystem changes the boot override or the locator light; what is left out stays as it is.
func (r *redfishServer) patchSystem(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "Boot", "IndicatorLED")
	if err == nil {
		err = r.setIndicator(ctx, values)
	}
	if err != nil {
		return answer{}, err
	}
	raw, ok := values["Boot"]
	switch {
	case !ok && len(values) > 0:
		return r.system(ctx, nil)
	case !ok:
		return answer{}, refuseProperty("PropertyMissing", "Boot", "There is nothing to change: only Boot and IndicatorLED can be.")
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
