package vbmc

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// Paths of the resources that are always there.
const (
	systemsPath  = rootPath + "/Systems"
	systemPath   = systemsPath + "/1"
	portsPath    = systemPath + "/EthernetInterfaces"
	chassisPath  = rootPath + "/Chassis"
	boxPath      = chassisPath + "/1"
	managersPath = rootPath + "/Managers"
	managerPath  = managersPath + "/1"
	mediaPath    = managerPath + "/VirtualMedia"
	cdPath       = mediaPath + "/Cd"
)

// table is every path that is served, with its methods. Sessions come and go
// and are found by tokens.routes.
func (r *redfishServer) table() map[string]map[string]route {
	const get, post, patch = http.MethodGet, http.MethodPost, http.MethodPatch
	const user, operator, admin = PrivilegeUser, PrivilegeOperator, PrivilegeAdministrator
	table := map[string]map[string]route{
		"/redfish":   {get: {0, r.versions}},
		rootPath:     {get: {0, r.root}},
		servicePath:  {get: {user, r.sessionService}},
		sessionsPath: {get: {user, r.listSessions}, post: {0, r.openSession}},

		systemsPath: {get: {user, static(collection(systemsPath, "ComputerSystemCollection", systemPath))}},
		systemPath:  {get: {user, r.system}, patch: {operator, r.patchSystem}},
		systemPath + "/Actions/ComputerSystem.Reset": {post: {operator, r.resetSystem}},

		chassisPath:          {get: {user, static(collection(chassisPath, "ChassisCollection", boxPath))}},
		boxPath:              {get: {user, r.chassis}, patch: {operator, r.patchChassis}},
		boxPath + "/Power":   {get: {user, r.power}},
		boxPath + "/Thermal": {get: {user, r.thermal}},

		managersPath:                           {get: {user, static(collection(managersPath, "ManagerCollection", managerPath))}},
		managerPath:                            {get: {user, r.manager}},
		managerPath + "/Actions/Manager.Reset": {post: {admin, r.resetManager}},
	}
	maps.Copy(table, r.firmwareTable())
	var ports []string
	for i, mac := range r.server.device.MACs {
		at := fmt.Sprintf("%s/NIC%d", portsPath, i+1)
		ports = append(ports, at)
		table[at] = map[string]route{get: {user, static(port(at, mac))}}
	}
	table[portsPath] = map[string]route{get: {user, static(collection(portsPath, "EthernetInterfaceCollection", ports...))}}
	if _, ok := r.server.Machine.(MediaDrive); ok {
		table[mediaPath] = map[string]route{get: {user, static(collection(mediaPath, "VirtualMediaCollection", cdPath))}}
		table[cdPath] = map[string]route{get: {user, r.cd}}
		table[cdPath+"/Actions/VirtualMedia.InsertMedia"] = map[string]route{post: {operator, r.insertMedia}}
		table[cdPath+"/Actions/VirtualMedia.EjectMedia"] = map[string]route{post: {operator, r.ejectMedia}}
	}
	return table
}

// static is a resource that never changes.
func static(body object) func(context.Context, []byte) (answer, error) {
	return func(context.Context, []byte) (answer, error) { return answer{body: body}, nil }
}

// link is a reference to a resource.
func link(path string) object { return object{"@odata.id": path} }

// links is a list of references.
func links(paths ...string) []object {
	list := []object{}
	for _, path := range paths {
		list = append(list, link(path))
	}
	return list
}

// collection is a resource collection of one kind.
func collection(path, kind string, members ...string) object {
	return object{
		"@odata.id": path, "@odata.type": "#" + kind + "." + kind,
		"Name": strings.TrimSuffix(kind, "Collection") + " Collection", "Members": links(members...),
		"Members@odata.count": len(members),
	}
}

// healthy is the status of a resource that is there and in order.
func healthy() object { return object{"State": "Enabled", "Health": "OK"} }

func (r *redfishServer) versions(context.Context, []byte) (answer, error) {
	return answer{body: object{"v1": rootPath + "/"}}, nil
}

func (r *redfishServer) root(context.Context, []byte) (answer, error) {
	return answer{body: object{
		"@odata.id": rootPath, "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot",
		"Id": "RootService", "Name": "Root Service", "RedfishVersion": "1.12.0", "UUID": r.server.device.UUID.String(),
		"Systems": link(systemsPath), "Chassis": link(chassisPath), "Managers": link(managersPath),
		"Registries": link(registriesPath), "UpdateService": link(updatePath),
		"SessionService": link(servicePath), "Links": object{"Sessions": link(sessionsPath)},
	}}, nil
}
