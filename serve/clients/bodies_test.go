package clients_test

// bodies are good ones for the routes that take them.
func bodies() map[string]object {
	step := object{"interface": "deploy", "step": "erase_devices", "args": object{"a": 1}, "priority": 10}
	ordered := object{"interface": "deploy", "step": "erase_devices", "args": object{"a": 1}, "order": 1}
	states := "PUT /v1/nodes/{node}/states/"
	return map[string]object{
		"POST /v1/nodes": {
			"driver": "fake-hardware", "name": "x1", "properties": object{"cpu_arch": "x86_64", "capabilities": "boot_mode:uefi"}, "driver_info": object{"a": 1},
			"extra": object{}, "instance_info": object{"image_source": "http://192.0.2.1/a", "root_gb": 1}, "deploy_interface": "fake", "conductor_group": "", "network_data": object{},
			"parent_node": uuid(1), "chassis_uuid": uuid(20), "shard": "s", "automated_clean": true, "retired": false,
		},
		"POST /v1/ports": {
			"node_uuid": uuid(1), "address": "52:54:00:00:00:55", "local_link_connection": object{"port_id": "1", "switch_id": "52:54:00:00:00:01", "switch_info": "x"},
			"portgroup_uuid": uuid(22), "extra": object{}, "name": "x2", "physical_network": "p", "pxe_enabled": true, "is_smartnic": false,
		},
		"POST /v1/portgroups":               {"node_uuid": uuid(1), "address": "52:54:00:00:00:56", "name": "x3", "mode": "802.3ad", "properties": object{"miimon": 1}, "extra": object{}},
		"POST /v1/chassis":                  {"description": "x", "extra": object{"a": object{"b": 1}}},
		"POST /v1/volume/connectors":        {"node_uuid": uuid(1), "type": "iqn", "connector_id": "iqn.a", "extra": object{}},
		"POST /v1/volume/targets":           {"node_uuid": uuid(1), "volume_type": "iscsi", "volume_id": "v", "boot_index": 3, "properties": object{"target_lun": 1}},
		"POST /v1/deploy_templates":         {"name": "CUSTOM_F", "steps": []object{step}, "extra": object{}},
		"POST /v1/runbooks":                 {"name": "CUSTOM_G", "steps": []object{ordered}, "extra": object{}, "public": false, "disable_ramdisk": true},
		"POST /v1/allocations":              {"name": "x4", "resource_class": "big", "traits": []any{"CUSTOM_X"}, "candidate_nodes": []any{uuid(2), "n2"}, "extra": object{}, "owner": "me"},
		"POST /v1/events":                   {"events": []object{{"event": "network.bind_port", "port_id": uuid(3), "mac_address": "52:54:00:00:00:01", "status": "ACTIVE", "binding:host_id": uuid(1)}}},
		"POST /v1/nodes/{node}/vifs":        {"id": uuid(40), "port_uuid": uuid(21), "extra": object{}},
		"POST /v1/nodes/{node}/vmedia":      {"device_type": "cdrom", "image_url": "http://192.0.2.1/a.iso", "image_download_source": "http"},
		"PUT /v1/nodes/{node}/traits":       {"traits": []any{"CUSTOM_X", "HW_CPU_X86_VMX"}},
		"PUT /v1/runbooks/{runbook}/traits": {"traits": []any{"CUSTOM_X", "HW_CPU_X86_VMX"}},
		"POST /v1/inspection_rules": {
			"description": "x", "priority": 1, "phase": "main", "sensitive": false,
			"conditions": []object{{"op": "eq", "args": object{"values": []any{"{inventory[cpu][count]}", 8}}, "multiple": "any", "loop": []any{1}}},
			"actions":    []object{{"op": "set-attribute", "args": object{"path": "/extra/a", "value": "b"}}},
		},
		states + "provision": {
			"target": "manage", "configdrive": object{"meta_data": object{"a": 1}, "user_data": "x"}, "clean_steps": []object{step}, "deploy_steps": []object{step},
			"service_steps": []object{step}, "rescue_password": "x", "disable_ramdisk": true, "runbook": "CUSTOM_B",
		},
		states + "power":                                         {"target": "power on", "timeout": 5},
		states + "raid":                                          {"logical_disks": []object{{"size_gb": 10, "raid_level": "1", "is_root_volume": true, "physical_disks": []any{"a"}}}},
		states + "boot_mode":                                     {"target": "uefi"},
		states + "secure_boot":                                   {"target": true},
		states + "console":                                       {"enabled": true},
		"PUT /v1/nodes/{node}/maintenance":                       {"reason": "x"},
		"PUT /v1/nodes/{node}/management/boot_device":            {"boot_device": "pxe", "persistent": true},
		"PUT /v1/nodes/{node}/management/indicators/{indicator}": {"state": "on"},
		"POST /v1/heartbeat/{node}":                              {"callback_url": "https://192.0.2.1:9999", "agent_token": "x", "agent_version": "1", "agent_verify_ca": "x", "agent_status": "end"},
		"POST /v1/continue_inspection": {"inventory": object{
			"interfaces": []object{{"mac_address": "52:54:00:00:00:01", "name": "eth0"}}, "cpu": object{"count": 1, "architecture": "x"}, "memory": object{"physical_mb": 1},
			"disks": []object{{"name": "a", "size": 1, "hctl": "x"}}, "boot": object{}, "system_vendor": object{"product_name": "x"}, "bmc_address": "192.0.2.1",
		}, "plugin": object{"a": 1}},
	}
}
