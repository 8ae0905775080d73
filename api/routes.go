package api

// route is a method and a path below /v1. Below the version since, the path does not exist. The rule is a row of policy.go,
// or public.
type route struct {
	method, path string
	since        int
	rule         string
	handle       handler
}

// Patterns are the methods and paths that users may call, "GET /v1/nodes/{node}", for whoever describes or tests them.
func (a *API) Patterns() []string {
	var patterns []string
	for _, rt := range a.userRoutes(newTables()) {
		prefix := "/v1"
		if probe(rt.path) {
			prefix = ""
		}
		patterns = append(patterns, rt.method+" "+prefix+rt.path)
	}
	return patterns
}

// late is a route that answers 405 below its version, and not 404: the writes on the resources that Ironic added last.
func late(method, path string, since int, rule string, handle handler) route {
	return route{method, path, 1, rule, func(r *request) (response, error) {
		if !r.since(since) {
			return methodNotAllowed(r)
		}
		return handle(r)
	}}
}

// userRoutes is everything that users may call.
func (a *API) userRoutes(t *tables) []route {
	routes := discoveryRoutes()
	add := func(has bool, more ...route) {
		if has {
			routes = append(routes, more...)
		}
	}
	add(a.Nodes != nil,
		route{"GET", "/nodes", 1, "node:list", listNodes},
		route{"POST", "/nodes", 1, "node:create", createNode},
		route{"GET", "/nodes/detail", 1, "node:list", listNodesDetail},
		route{"GET", "/nodes/validate", 1, "node:validate", validateNode},
		route{"GET", "/nodes/{node}", 1, "node:get", showNode},
		route{"PATCH", "/nodes/{node}", 1, "node:update", patchNode},
		route{"DELETE", "/nodes/{node}", 1, "node:delete", deleteNode},
		route{"GET", "/nodes/{node}/validate", 1, "node:validate", validateNode},
		route{"PUT", "/nodes/{node}/maintenance", 1, "node:set_maintenance", setMaintenance},
		route{"DELETE", "/nodes/{node}/maintenance", 1, "node:clear_maintenance", clearMaintenance},
		route{"GET", "/nodes/{node}/states", 1, "node:get_states", showStates},
		route{"GET", "/nodes/{node}/traits", 37, "node:traits:list", listTraits},
		route{"PUT", "/nodes/{node}/traits", 37, "node:traits:set", setTraits},
		route{"DELETE", "/nodes/{node}/traits", 37, "node:traits:delete", removeTraits},
		route{"PUT", "/nodes/{node}/traits/{trait}", 37, "node:traits:set", addTrait},
		route{"DELETE", "/nodes/{node}/traits/{trait}", 37, "node:traits:delete", removeTrait},
		route{"GET", "/nodes/{node}/children", 83, "node:get", listChildren},
		route{"GET", "/nodes/{node}/evidence", 1, "node:evidence:get", showEvidence},
	)
	add(a.Nodes != nil && a.Operations != nil, route{"GET", "/nodes/{node}/operations", 1, "node:operations:get", listOperations})
	add(a.Nodes != nil && a.Provisioner != nil,
		route{"PUT", "/nodes/{node}/states/power", 1, "node:set_power_state", setPower},
		route{"PUT", "/nodes/{node}/states/provision", 1, "node:set_provision_state", setProvision},
	)
	add(a.Nodes != nil && a.Management != nil,
		route{"GET", "/nodes/{node}/management/boot_device", 1, "node:get_boot_device", showBootDevice},
		route{"PUT", "/nodes/{node}/management/boot_device", 1, "node:set_boot_device", setBootDevice},
		route{"GET", "/nodes/{node}/management/boot_device/supported", 1, "node:get_boot_device", supportedBootDevices},
		route{"PUT", "/nodes/{node}/management/inject_nmi", 29, "node:inject_nmi", injectNMI},
		route{"GET", "/nodes/{node}/sensors", 1, "node:sensors:get", showSensors},
	)
	add(a.Nodes != nil && a.Indicators != nil,
		route{"GET", "/nodes/{node}/management/indicators", 63, "node:get_indicator_state", listIndicators},
		route{"GET", "/nodes/{node}/management/indicators/{indicator}", 63, "node:get_indicator_state", showIndicator},
		route{"PUT", "/nodes/{node}/management/indicators/{indicator}", 63, "node:set_indicator_state", setIndicator},
	)
	add(a.Nodes != nil && a.Firmware != nil,
		route{"PUT", "/nodes/{node}/states/boot_mode", 1, "node:set_boot_mode", setBootMode},
		route{"PUT", "/nodes/{node}/states/secure_boot", 1, "node:set_secure_boot", setSecureBoot},
		route{"PUT", "/nodes/{node}/states/raid", 1, "node:set_raid_state", setRAID},
		route{"GET", "/drivers/{driver}/raid/logical_disk_properties", 1, "driver:get_raid_logical_disk_properties", showRAIDProperties},
	)
	add(a.Nodes != nil && a.FirmwareStore != nil,
		route{"GET", "/nodes/{node}/bios", 40, "node:bios:get", listBIOS},
		route{"GET", "/nodes/{node}/bios/{setting}", 40, "node:bios:get", showBIOS},
		route{"GET", "/nodes/{node}/firmware", 86, "node:firmware:get", listFirmware},
	)
	add(a.Nodes != nil && a.Consoles != nil,
		route{"GET", "/nodes/{node}/states/console", 1, "node:get_console", showConsole},
		route{"PUT", "/nodes/{node}/states/console", 1, "node:set_console_state", setConsole},
	)
	add(a.Nodes != nil && a.Media != nil,
		route{"GET", "/nodes/{node}/vmedia", 93, "node:vmedia:get", listMedia},
		route{"POST", "/nodes/{node}/vmedia", 89, "node:vmedia:attach", attachMedia},
		route{"DELETE", "/nodes/{node}/vmedia", 89, "node:vmedia:detach", detachMedia},
	)
	add(a.Nodes != nil && a.Vendors != nil, vendorRoutes()...)
	add(a.Nodes != nil && a.History != nil,
		route{"GET", "/nodes/{node}/history", 78, "node:history:get", listHistory},
		route{"GET", "/nodes/{node}/history/{entry}", 78, "node:history:get", showHistory},
	)
	add(a.Nodes != nil && a.Inventories != nil,
		route{"GET", "/nodes/{node}/inventory", 81, "node:inventory:get", showInventory},
	)
	add(true, a.portRoutes(t)...)
	add(true, a.portgroupRoutes(t)...)
	add(true, a.chassisRoutes(t)...)
	add(true, a.volumeRoutes(t)...)
	add(a.VIFs != nil && a.Ports != nil && a.Portgroups != nil,
		route{"GET", "/nodes/{node}/vifs", 28, "node:vif:list", listVIFs},
		route{"POST", "/nodes/{node}/vifs", 28, "node:vif:attach", attachVIF},
		route{"DELETE", "/nodes/{node}/vifs/{vif}", 28, "node:vif:detach", detachVIF},
	)
	add(true, a.computeRoutes(t)...)
	add(a.Shards != nil, route{"GET", "/shards", 82, "shards:get", listShards})
	add(true, t.templates.routes(a)...)
	add(true, a.runbookRoutes(t)...)
	add(true, a.inspectionRuleRoutes(t)...)
	add(true, a.allocationRoutes(t)...)
	add(a.Drivers != nil,
		route{"GET", "/drivers", 1, "driver:get", listDrivers},
		route{"GET", "/drivers/{driver}", 1, "driver:get", showDriver},
		route{"GET", "/drivers/{driver}/properties", 1, "driver:get_properties", showDriverProperties},
		route{"GET", "/conductors", 49, "conductor:get", listConductors},
		route{"GET", "/conductors/{conductor}", 49, "conductor:get", showConductor},
	)
	add(a.Events != nil,
		route{"GET", "/events", 1, "event_stream:list", streamEvents},
		route{"POST", "/events", 54, "events:post", postEvents},
	)
	add(true,
		route{"GET", "/networks", 1, "network:get", listNetworks},
		route{"GET", "/healthz", 0, public, showReady},
		route{"GET", "/livez", 0, public, showAlive},
		route{"GET", "/openapi.yaml", 0, public, showOpenAPI},
		route{"GET", "/docs", 0, public, showDocs},
	)
	add(a.Leases != nil, route{"GET", "/networks/{network}/leases", 1, "network:get", listLeases})
	add(a.Registry != nil, route{"GET", "/metrics", 0, "metrics:get", showMetrics})
	if a.DevRamdisk {
		routes = append(routes, a.agentRoutes()...)
	}
	return routes
}

// discoveryRoutes say what the service is and which versions it speaks.
func discoveryRoutes() []route {
	return []route{{"GET", "", 1, public, showVersion}}
}

// agentRoutes are what ramdisks call.
func (a *API) agentRoutes() []route {
	if a.Agents == nil {
		return nil
	}
	return []route{
		{"GET", "/lookup", 22, public, lookup},
		{"POST", "/heartbeat/{node}", 22, public, heartbeat},
		{"POST", "/continue_inspection", 1, public, continueInspection},
	}
}

func (a *API) ramdiskRoutes() []route {
	return append(discoveryRoutes(), a.agentRoutes()...)
}
