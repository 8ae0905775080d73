package vbmc

import (
	"context"
	"strconv"
)

// chassis answers GET of the Chassis.
func (r *redfishServer) chassis(ctx context.Context, _ []byte) (answer, error) {
	on, err := r.server.Machine.Power(ctx)
	if err != nil {
		return answer{}, err
	}
	state := "Off"
	if on {
		state = "On"
	}
	d := r.server.device
	return answer{body: object{
		"@odata.id": boxPath, "@odata.type": "#Chassis.v1_23_0.Chassis", "Id": "1",
		"Name": d.Model, "ChassisType": "RackMount", "Manufacturer": d.Manufacturer, "Model": d.Model,
		"SerialNumber": d.Serial, "UUID": d.UUID.String(), "PowerState": state, "Status": healthy(), "IndicatorLED": r.firmware.indicator(),
		"Power": link(boxPath + "/Power"), "Thermal": link(boxPath + "/Thermal"),
		"Links": object{"ComputerSystems": links(systemPath), "ManagedBy": links(managerPath)},
	}}, nil
}

// readings lists the sensors of one kind, each made into a resource's member.
func (r *redfishServer) readings(ctx context.Context, path, list, property string, kind SensorKind) ([]object, error) {
	sensors, err := r.server.sensors(ctx)
	if err != nil {
		return nil, err
	}
	members := []object{}
	for _, s := range sensors {
		if s.Kind != kind {
			continue
		}
		id := len(members)
		member := object{
			"@odata.id": path + "#/" + list + "/" + strconv.Itoa(id), "MemberId": strconv.Itoa(id), "Name": s.Name,
			property: nil, "Status": object{"State": "Absent", "Health": nil},
		}
		if !s.Absent {
			member[property] = s.Value
			member["Status"] = object{"State": "Enabled", "Health": s.health()}
		}
		if s.LowCritical != 0 {
			member["LowerThresholdCritical"] = s.LowCritical
		}
		if s.HighCritical != 0 {
			member["UpperThresholdCritical"] = s.HighCritical
		}
		members = append(members, member)
	}
	return members, nil
}

// health is the sensor's state in Redfish's words.
func (s Sensor) health() string {
	if s.Critical() {
		return "Critical"
	}
	return "OK"
}

// thermal answers GET of temperatures and fans.
func (r *redfishServer) thermal(ctx context.Context, _ []byte) (answer, error) {
	const path = boxPath + "/Thermal"
	temperatures, err := r.readings(ctx, path, "Temperatures", "ReadingCelsius", SensorTemperature)
	if err != nil {
		return answer{}, err
	}
	fans, err := r.readings(ctx, path, "Fans", "Reading", SensorFan)
	for _, fan := range fans {
		fan["ReadingUnits"] = "RPM"
	}
	return answer{body: object{
		"@odata.id": path, "@odata.type": "#Thermal.v1_7_1.Thermal", "Id": "Thermal",
		"Name": "Thermal", "Temperatures": temperatures, "Fans": fans,
	}}, err
}

// power answers GET of voltages and consumption.
func (r *redfishServer) power(ctx context.Context, _ []byte) (answer, error) {
	const path = boxPath + "/Power"
	voltages, err := r.readings(ctx, path, "Voltages", "ReadingVolts", SensorVoltage)
	if err != nil {
		return answer{}, err
	}
	consumers, err := r.readings(ctx, path, "PowerControl", "PowerConsumedWatts", SensorPower)
	return answer{body: object{
		"@odata.id": path, "@odata.type": "#Power.v1_7_1.Power", "Id": "Power",
		"Name": "Power", "Voltages": voltages, "PowerControl": consumers,
	}}, err
}
