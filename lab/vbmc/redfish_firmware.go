package vbmc

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// firmware is what a machine's firmware keeps: Secure Boot, its settings, and those that hold from the next start on;
// beside it the locator light.
type firmware struct {
	mu      sync.Mutex
	secure  bool
	values  map[string]any
	pending map[string]any // nil: none
	light   string
}

// factorySettings are the firmware's settings as they come.
func factorySettings() map[string]any {
	return map[string]any{"ProcTurboMode": "Enabled", "ProcVirtualization": "Enabled", "MemoryChannels": 4, "QuietBoot": true, "AssetTag": ""}
}

// attribute is an entry of the attribute registry (DSP0266's AttributeRegistry schema).
func attributes() []object {
	choice := []object{{"ValueName": "Enabled"}, {"ValueName": "Disabled"}}
	return []object{
		{"AttributeName": "ProcTurboMode", "Type": "Enumeration", "Value": choice, "ReadOnly": false, "ResetRequired": true},
		{"AttributeName": "ProcVirtualization", "Type": "Enumeration", "Value": choice, "ReadOnly": false, "ResetRequired": true},
		{"AttributeName": "MemoryChannels", "Type": "Integer", "LowerBound": 1, "UpperBound": 8, "ReadOnly": false, "ResetRequired": true},
		{"AttributeName": "QuietBoot", "Type": "Boolean", "ReadOnly": false, "ResetRequired": true},
		{"AttributeName": "AssetTag", "Type": "String", "MinLength": 0, "MaxLength": 63, "ReadOnly": false, "ResetRequired": true, "IsSystemUniqueProperty": true},
	}
}

// Paths of the firmware's resources.
const (
	securePath     = systemPath + "/SecureBoot"
	biosPath       = systemPath + "/Bios"
	pendingPath    = biosPath + "/Settings"
	registriesPath = rootPath + "/Registries"
	registryPath   = registriesPath + "/BiosAttributeRegistry"
	registryFile   = registryPath + "/en"
	updatePath     = rootPath + "/UpdateService"
	inventoryPath  = updatePath + "/FirmwareInventory"
)

// firmwareTable are the firmware's paths.
func (r *redfishServer) firmwareTable() map[string]map[string]route {
	const get, post, patch = http.MethodGet, http.MethodPost, http.MethodPatch
	const user, operator, admin = PrivilegeUser, PrivilegeOperator, PrivilegeAdministrator
	return map[string]map[string]route{
		securePath:                           {get: {user, r.secureBoot}, patch: {admin, r.patchSecureBoot}},
		biosPath:                             {get: {user, r.bios}},
		pendingPath:                          {get: {user, r.pendingBIOS}, patch: {operator, r.patchBIOS}},
		biosPath + "/Actions/Bios.ResetBios": {post: {operator, r.resetBIOS}},
		registriesPath:                       {get: {user, static(collection(registriesPath, "MessageRegistryFileCollection", registryPath))}},
		registryPath: {get: {user, static(object{
			"@odata.id": registryPath, "@odata.type": "#MessageRegistryFile.v1_1_3.MessageRegistryFile", "Id": "BiosAttributeRegistry", "Name": "BIOS attributes",
			"Registry": "BiosAttributeRegistry.1.0.0", "Languages": []string{"en"}, "Location": []object{{"Language": "en", "Uri": registryFile}},
		})}},
		registryFile: {get: {user, static(object{
			"@odata.id": registryFile, "@odata.type": "#AttributeRegistry.v1_3_6.AttributeRegistry", "Id": "BiosAttributeRegistry.1.0.0", "Name": "BIOS attributes",
			"Language": "en", "OwningEntity": "Ingot", "RegistryVersion": "1.0.0", "RegistryEntries": object{"Attributes": attributes()},
		})}},
		updatePath: {get: {user, static(object{
			"@odata.id": updatePath, "@odata.type": "#UpdateService.v1_11_0.UpdateService", "Id": "UpdateService", "Name": "Update Service",
			"ServiceEnabled": true, "Status": healthy(), "FirmwareInventory": link(inventoryPath),
		})}},
		inventoryPath:           {get: {user, static(collection(inventoryPath, "SoftwareInventoryCollection", inventoryPath+"/BIOS", inventoryPath+"/BMC"))}},
		inventoryPath + "/BIOS": {get: {user, static(software("BIOS", "2.4.1"))}},
		inventoryPath + "/BMC":  {get: {user, static(software("BMC", "1.00"))}},
	}
}

func software(id, version string) object {
	return object{
		"@odata.id": inventoryPath + "/" + id, "@odata.type": "#SoftwareInventory.v1_10_0.SoftwareInventory", "Id": id, "Name": id,
		"Version": version, "Updateable": false, "Manufacturer": "Ingot", "Status": healthy(),
	}
}

func (r *redfishServer) secureBoot(context.Context, []byte) (answer, error) {
	r.firmware.mu.Lock()
	defer r.firmware.mu.Unlock()
	return answer{body: object{
		"@odata.id": securePath, "@odata.type": "#SecureBoot.v1_1_0.SecureBoot", "Id": "SecureBoot", "Name": "UEFI Secure Boot",
		"SecureBootEnable": r.firmware.secure, "SecureBootMode": "UserMode",
	}}, nil
}

func (r *redfishServer) patchSecureBoot(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "SecureBootEnable")
	if err != nil {
		return answer{}, err
	}
	var on bool
	if err := json.Unmarshal(values["SecureBootEnable"], &on); err != nil {
		return answer{}, refuseProperty("PropertyValueTypeError", "SecureBootEnable", "SecureBootEnable must be true or false.")
	}
	note(ctx, VerbSecureBoot, string(values["SecureBootEnable"]))
	r.firmware.mu.Lock()
	r.firmware.secure = on
	r.firmware.mu.Unlock()
	return answer{}, nil
}

func (r *redfishServer) bios(context.Context, []byte) (answer, error) {
	r.firmware.mu.Lock()
	defer r.firmware.mu.Unlock()
	return answer{body: object{
		"@odata.id": biosPath, "@odata.type": "#Bios.v1_2_1.Bios", "Id": "Bios", "Name": "BIOS", "AttributeRegistry": "BiosAttributeRegistry.1.0.0",
		"Attributes": maps.Clone(r.firmware.values),
		"@Redfish.Settings": object{
			"@odata.type": "#Settings.v1_3_5.Settings", "SettingsObject": link(pendingPath), "SupportedApplyTimes": []string{"OnReset"},
		},
		"Actions": object{"#Bios.ResetBios": object{"target": biosPath + "/Actions/Bios.ResetBios"}},
	}}, nil
}

func (r *redfishServer) pendingBIOS(context.Context, []byte) (answer, error) {
	r.firmware.mu.Lock()
	defer r.firmware.mu.Unlock()
	pending := map[string]any{}
	maps.Copy(pending, r.firmware.pending)
	return answer{body: object{
		"@odata.id": pendingPath, "@odata.type": "#Bios.v1_2_1.Bios", "Id": "Settings", "Name": "BIOS settings from the next start on", "Attributes": pending,
	}}, nil
}

// patchBIOS takes settings that hold from the next start on.
func (r *redfishServer) patchBIOS(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "Attributes", "@Redfish.SettingsApplyTime")
	if err != nil {
		return answer{}, err
	}
	var wanted map[string]any
	if err := json.Unmarshal(values["Attributes"], &wanted); err != nil {
		return answer{}, refuseProperty("PropertyValueTypeError", "Attributes", "Attributes must be an object.")
	}
	for name, v := range wanted {
		if err := allowedValue(name, v); err != nil {
			return answer{}, err
		}
	}
	note(ctx, VerbBIOS, string(values["Attributes"]))
	r.firmware.mu.Lock()
	defer r.firmware.mu.Unlock()
	if r.firmware.pending == nil {
		r.firmware.pending = map[string]any{}
	}
	maps.Copy(r.firmware.pending, wanted)
	return answer{status: http.StatusOK, body: object{}}, nil
}

// allowedValue holds a setting against the registry.
func allowedValue(name string, v any) error {
	i := slices.IndexFunc(attributes(), func(a object) bool { return a["AttributeName"] == name })
	if i < 0 {
		return refuseProperty("PropertyUnknown", "Attributes/"+name, "There is no attribute "+name+".")
	}
	ok := false
	switch attributes()[i]["Type"] {
	case "Enumeration":
		ok = v == "Enabled" || v == "Disabled"
	case "Integer":
		n, isNumber := v.(float64)
		ok = isNumber && n >= 1 && n <= 8
	case "Boolean":
		_, ok = v.(bool)
	case "String":
		_, ok = v.(string)
	}
	if !ok {
		return refuseProperty("PropertyValueNotInList", "Attributes/"+name, "The attribute "+name+" cannot have that value.")
	}
	return nil
}

func (r *redfishServer) resetBIOS(ctx context.Context, body []byte) (answer, error) {
	if _, err := properties(body); err != nil {
		return answer{}, err
	}
	note(ctx, VerbBIOS, "reset")
	r.firmware.mu.Lock()
	defer r.firmware.mu.Unlock()
	r.firmware.pending = factorySettings()
	return answer{}, nil
}

// started has the pending settings hold: the machine runs its firmware.
func (f *firmware) started() {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.Copy(f.values, f.pending)
	f.pending = nil
}

// indicator is the locator light, which system and chassis share.
func (f *firmware) indicator() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.light
}

// setIndicator reads IndicatorLED out of a PATCH, if it is there.
func (r *redfishServer) setIndicator(ctx context.Context, values map[string]json.RawMessage) error {
	if _, given := values["IndicatorLED"]; !given {
		return nil
	}
	light, err := choice(values, "IndicatorLED", []string{"Lit", "Blinking", "Off"})
	if err != nil {
		return err
	}
	note(ctx, VerbIndicator, light)
	r.firmware.mu.Lock()
	defer r.firmware.mu.Unlock()
	r.firmware.light = light
	return nil
}

// patchChassis changes the locator light.
func (r *redfishServer) patchChassis(ctx context.Context, body []byte) (answer, error) {
	values, err := properties(body, "IndicatorLED")
	if err == nil {
		err = r.setIndicator(ctx, values)
	}
	return answer{}, err
}
