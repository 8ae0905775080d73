package api

import "slices"

// nodeRoutes are of nodes themselves.
func (a *API) nodeRoutes() []route {
	return where(a.Nodes != nil,
		route{"GET", "/nodes", 1, "node:list", listNodes},
		route{"POST", "/nodes", 1, "node:create", createNode},
		route{"GET", "/nodes/detail", 1, "node:list", listNodesDetail},
		route{"GET", "/nodes/validate", 1, "node:validate", validateNode},
		route{"GET", "/nodes/{node}", 1, "node:get", showNode},
		route{"PATCH", "/nodes/{node}", 1, "node:update", patchNode},
		route{"DELETE", "/nodes/{node}", 1, "node:delete", atGuest(deleteNode)},
		route{"GET", "/nodes/{node}/validate", 1, "node:validate", atMachine(validateNode)},
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
}

// stateRoutes are what can be asked of a node's states.
func (a *API) stateRoutes() []route {
	return slices.Concat(
		where(a.Nodes != nil && a.Provisioner != nil,
			route{"PUT", "/nodes/{node}/states/power", 1, "node:set_power_state", setPower},
			route{"PUT", "/nodes/{node}/states/provision", 1, "node:set_provision_state", setProvision},
		),
		where(a.Nodes != nil && a.Firmware != nil,
			route{"PUT", "/nodes/{node}/states/boot_mode", 1, "node:set_boot_mode", setBootMode},
			route{"PUT", "/nodes/{node}/states/secure_boot", 1, "node:set_secure_boot", setSecureBoot},
			route{"PUT", "/nodes/{node}/states/raid", 1, "node:set_raid_state", setRAID},
			route{"GET", "/drivers/{driver}/raid/logical_disk_properties", 1, "driver:get_raid_logical_disk_properties", showRAIDProperties},
		),
		where(a.Nodes != nil && a.Consoles != nil,
			route{"GET", "/nodes/{node}/states/console", 1, "node:get_console", atMachine(showConsole)},
			route{"PUT", "/nodes/{node}/states/console", 1, "node:set_console_state", setConsole},
			route{"GET", "/nodes/{node}/console/log", 1, "node:get_console", atMachine(showConsoleLog)},
			route{"GET", "/nodes/{node}/console/serial", 1, "node:get_console", atMachine(joinConsole)},
		),
	)
}

// managementRoutes go to a node's machine.
func (a *API) managementRoutes() []route {
	return slices.Concat(
		where(a.Nodes != nil && a.Management != nil,
			route{"GET", "/nodes/{node}/management/boot_device", 1, "node:get_boot_device", atMachine(showBootDevice)},
			route{"PUT", "/nodes/{node}/management/boot_device", 1, "node:set_boot_device", atMachine(setBootDevice)},
			route{"GET", "/nodes/{node}/management/boot_device/supported", 1, "node:get_boot_device", supportedBootDevices},
			route{"PUT", "/nodes/{node}/management/inject_nmi", 29, "node:inject_nmi", atMachine(injectNMI)},
			route{"GET", "/nodes/{node}/sensors", 1, "node:sensors:get", atMachine(showSensors)},
		),
		where(a.Nodes != nil && a.Indicators != nil,
			route{"GET", "/nodes/{node}/management/indicators", 63, "node:get_indicator_state", atMachine(listIndicators)},
			route{"GET", "/nodes/{node}/management/indicators/{indicator}", 63, "node:get_indicator_state", atMachine(showIndicator)},
			route{"PUT", "/nodes/{node}/management/indicators/{indicator}", 63, "node:set_indicator_state", atMachine(setIndicator)},
		),
		where(a.Nodes != nil && a.Media != nil,
			route{"GET", "/nodes/{node}/vmedia", 93, "node:vmedia:get", atMachine(listMedia)},
			route{"POST", "/nodes/{node}/vmedia", 89, "node:vmedia:attach", attachMedia},
			route{"DELETE", "/nodes/{node}/vmedia", 89, "node:vmedia:detach", detachMedia},
		),
		where(a.Nodes != nil && a.Vendors != nil, vendorRoutes()...),
	)
}

// recordRoutes show what is written down about a node.
func (a *API) recordRoutes() []route {
	return slices.Concat(
		where(a.Nodes != nil && a.Operations != nil,
			route{"GET", "/nodes/{node}/operations", 1, "node:operations:get", listOperations},
		),
		where(a.Nodes != nil && a.FirmwareStore != nil,
			route{"GET", "/nodes/{node}/bios", 40, "node:bios:get", listBIOS},
			route{"GET", "/nodes/{node}/bios/{setting}", 40, "node:bios:get", showBIOS},
			route{"GET", "/nodes/{node}/firmware", 86, "node:firmware:get", listFirmware},
		),
		where(a.Nodes != nil && a.History != nil,
			route{"GET", "/nodes/{node}/history", 78, "node:history:get", listHistory},
			route{"GET", "/nodes/{node}/history/{entry}", 78, "node:history:get", showHistory},
		),
		where(a.Nodes != nil && a.Inventories != nil,
			route{"GET", "/nodes/{node}/inventory", 81, "node:inventory:get", showInventory},
		),
	)
}

// vifRoutes are of the virtual interfaces of a node.
func (a *API) vifRoutes() []route {
	return where(a.VIFs != nil && a.Ports != nil && a.Portgroups != nil,
		route{"GET", "/nodes/{node}/vifs", 28, "node:vif:list", listVIFs},
		route{"POST", "/nodes/{node}/vifs", 28, "node:vif:attach", attachVIF},
		route{"DELETE", "/nodes/{node}/vifs/{vif}", 28, "node:vif:detach", detachVIF},
	)
}
