package vbmc

import (
	"context"
	"slices"
)

// resetTypes pairs Redfish's reset types with what they ask.
func resetTypes() map[string]request {
	return map[string]request{
		"On": askOn, "ForceOn": askOn, "ForceOff": askOff, "GracefulShutdown": askShutdown,
		"ForceRestart": askReset, "PowerCycle": askCycle, "Nmi": askNMI, "PushPowerButton": askButton,
	}
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
	body := object{
		"@odata.id": systemPath, "@odata.type": "#ComputerSystem.v1_20_1.ComputerSystem",
		"Id": "1", "Name": d.Model, "SystemType": "Virtual", "Manufacturer": d.Manufacturer, "Model": d.Model,
		"SerialNumber": d.Serial, "UUID": d.UUID.String(), "PowerState": state, "Status": healthy(),
		"Boot": r.bootObject(), "EthernetInterfaces": link(portsPath), "SecureBoot": link(securePath), "Bios": link(biosPath), "IndicatorLED": r.firmware.indicator(),
		"Links": object{"Chassis": links(boxPath), "ManagedBy": links(managerPath)},
		"Actions": object{"#ComputerSystem.Reset": object{
			"target":                            systemPath + "/Actions/ComputerSystem.Reset",
			"ResetType@Redfish.AllowableValues": resetTypeNames(),
		}},
	}
	if d.CPUs > 0 {
		body["ProcessorSummary"] = object{"Count": 1, "LogicalProcessorCount": d.CPUs, "Status": healthy()}
	}
	if d.MemoryMiB > 0 {
		body["MemorySummary"] = object{"TotalSystemMemoryGiB": float64(d.MemoryMiB) / 1024, "Status": healthy()}
	}
	return answer{body: body}, nil
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

// port is the resource of a network port.
func port(path, mac string) object {
	name := path[len(portsPath)+1:]
	return object{
		"@odata.id": path, "@odata.type": "#EthernetInterface.v1_9_0.EthernetInterface", "Id": name,
		"Name": name, "MACAddress": mac, "PermanentMACAddress": mac, "InterfaceEnabled": true,
		"LinkStatus": "LinkUp", "Status": healthy(),
	}
}
