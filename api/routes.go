package api

// route is a method and a path below /v1. Below the version since, the path does not exist.
type route struct {
	method, path string
	since        int
	handle       handler
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
		route{"GET", "/nodes", 1, listNodes},
		route{"POST", "/nodes", 1, createNode},
		route{"GET", "/nodes/detail", 1, listNodesDetail},
		route{"GET", "/nodes/validate", 1, validateNode},
		route{"GET", "/nodes/{node}", 1, showNode},
		route{"PATCH", "/nodes/{node}", 1, patchNode},
		route{"DELETE", "/nodes/{node}", 1, deleteNode},
		route{"GET", "/nodes/{node}/validate", 1, validateNode},
		route{"PUT", "/nodes/{node}/maintenance", 1, setMaintenance},
		route{"DELETE", "/nodes/{node}/maintenance", 1, clearMaintenance},
		route{"GET", "/nodes/{node}/states", 1, showStates},
		route{"GET", "/nodes/{node}/traits", 37, listTraits},
		route{"PUT", "/nodes/{node}/traits", 37, setTraits},
		route{"DELETE", "/nodes/{node}/traits", 37, removeTraits},
		route{"PUT", "/nodes/{node}/traits/{trait}", 37, addTrait},
		route{"DELETE", "/nodes/{node}/traits/{trait}", 37, removeTrait},
		route{"GET", "/nodes/{node}/children", 83, listChildren},
		route{"GET", "/nodes/{node}/evidence", 1, showEvidence},
	)
	add(a.Nodes != nil && a.Operations != nil, route{"GET", "/nodes/{node}/operations", 1, listOperations})
	add(a.Nodes != nil && a.Provisioner != nil,
		route{"PUT", "/nodes/{node}/states/power", 1, setPower},
		route{"PUT", "/nodes/{node}/states/provision", 1, setProvision},
	)
	add(a.Nodes != nil && a.Management != nil,
		route{"GET", "/nodes/{node}/management/boot_device", 1, showBootDevice},
		route{"PUT", "/nodes/{node}/management/boot_device", 1, setBootDevice},
		route{"GET", "/nodes/{node}/management/boot_device/supported", 1, supportedBootDevices},
		route{"PUT", "/nodes/{node}/management/inject_nmi", 29, injectNMI},
		route{"GET", "/nodes/{node}/sensors", 1, showSensors},
	)
	add(a.Nodes != nil && a.Indicators != nil,
		route{"GET", "/nodes/{node}/management/indicators", 63, listIndicators},
		route{"GET", "/nodes/{node}/management/indicators/{indicator}", 63, showIndicator},
		route{"PUT", "/nodes/{node}/management/indicators/{indicator}", 63, setIndicator},
	)
	add(a.Nodes != nil && a.Firmware != nil,
		route{"PUT", "/nodes/{node}/states/boot_mode", 1, setBootMode},
		route{"PUT", "/nodes/{node}/states/secure_boot", 1, setSecureBoot},
		route{"PUT", "/nodes/{node}/states/raid", 1, setRAID},
		route{"GET", "/drivers/{driver}/raid/logical_disk_properties", 1, showRAIDProperties},
	)
	add(a.Nodes != nil && a.Consoles != nil,
		route{"GET", "/nodes/{node}/states/console", 1, showConsole},
		route{"PUT", "/nodes/{node}/states/console", 1, setConsole},
	)
	add(a.Nodes != nil && a.Media != nil,
		route{"GET", "/nodes/{node}/vmedia", 93, listMedia},
		route{"POST", "/nodes/{node}/vmedia", 89, attachMedia},
		route{"DELETE", "/nodes/{node}/vmedia", 89, detachMedia},
	)
	add(a.Nodes != nil && a.Vendors != nil, vendorRoutes()...)
	add(a.Nodes != nil && a.History != nil,
		route{"GET", "/nodes/{node}/history", 78, listHistory},
		route{"GET", "/nodes/{node}/history/{entry}", 78, showHistory},
	)
	add(a.Nodes != nil && a.Inventories != nil,
		route{"GET", "/nodes/{node}/inventory", 81, showInventory},
	)
	add(true, a.portRoutes(t)...)
	add(true, a.chassisRoutes(t)...)
	add(a.Drivers != nil,
		route{"GET", "/drivers", 1, listDrivers},
		route{"GET", "/drivers/{driver}", 1, showDriver},
		route{"GET", "/drivers/{driver}/properties", 1, showDriverProperties},
		route{"GET", "/conductors", 49, listConductors},
		route{"GET", "/conductors/{conductor}", 49, showConductor},
	)
	add(a.Events != nil, route{"GET", "/events", 1, streamEvents})
	add(true,
		route{"GET", "/networks", 1, listNetworks},
		route{"GET", "/healthz", 0, showReady},
		route{"GET", "/livez", 0, showAlive},
	)
	add(a.Leases != nil, route{"GET", "/networks/{network}/leases", 1, listLeases})
	add(a.Registry != nil, route{"GET", "/metrics", 0, showMetrics})
	if a.DevRamdisk {
		routes = append(routes, a.agentRoutes()...)
	}
	return routes
}

// discoveryRoutes say what the service is and which versions it speaks.
func discoveryRoutes() []route {
	return []route{{"GET", "", 1, showVersion}}
}

// agentRoutes are what ramdisks call.
func (a *API) agentRoutes() []route {
	if a.Agents == nil {
		return nil
	}
	return []route{
		{"GET", "/lookup", 22, lookup},
		{"POST", "/heartbeat/{node}", 22, heartbeat},
		{"POST", "/continue_inspection", 1, continueInspection},
	}
}

func (a *API) ramdiskRoutes() []route {
	return append(discoveryRoutes(), a.agentRoutes()...)
}
