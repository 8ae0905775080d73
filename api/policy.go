package api

import "slices"

// public is the rule of routes that everybody may call, whoever they are.
const public = "public"

// rule is a row of the policy: what somebody may do, and the grants of which one is needed. Its name is Ironic's, without
// "baremetal:" before it. The rows at the end are of what Ironic has not.
type rule struct {
	name  string
	needs grants
}

// policy is every rule (Ironic: common/policy.py). A list's rule comes in two: list_all sees everything, list only what
// is the caller's project's. A rule ":self_owned_node" widens the one before it while project admins may manage nodes of their own.
func policy() []rule {
	rules := slices.Concat(nodeRules(), nodeChangeRules(), resourceRules())
	return append(rules,
		rule{"node:operations:get", ownerReaders},
		rule{"node:evidence:get", ownerReaders},
		rule{"node:sensors:get", ownerReaders},
		rule{"node:hypervisor:get", ownerReaders},
		rule{"node:hypervisor:set", systemAdmin},
		rule{"node:hypervisor:delete", systemAdmin},
		rule{"node:bmc:get", ownerReaders},
		rule{"node:bmc:set", ownerManagers},
		rule{"node:bmc:delete", ownerManagers},
		rule{"flavor:get", everyReader},
		rule{"flavor:create", systemAdmin},
		rule{"flavor:update", systemAdmin},
		rule{"flavor:delete", systemAdmin},
		rule{"placement:list", systemReaders},
		rule{"event_stream:list", everyReader},
		rule{"event_stream:list_all", systemReaders},
		rule{"network:get", systemReaders},
		rule{"metrics:get", systemReaders},
	)
}

func nodeRules() []rule {
	return []rule{
		{"node:create", systemAdmin | systemService},
		{"node:create:self_owned_node", anyAdmin | anyService},
		{"node:list", everyReader},
		{"node:list_all", systemReaders},
		{"node:get", readers},
		{"node:get:filter_threshold", systemReaders},
		{"node:get:last_error", ownerReaders},
		{"node:get:reservation", ownerReaders},
		{"node:get:driver_internal_info", ownerReaders},
		{"node:get:driver_info", ownerReaders},
		{"node:disable_cleaning", systemAdmin},
		{"node:delete", systemAdmin},
		{"node:delete:self_owned_node", ownerAdmin},
		{"node:validate", operators},
		{"node:set_maintenance", operators},
		{"node:clear_maintenance", operators},
		{"node:get_boot_device", ownerManagers},
		{"node:set_boot_device", ownerManagers},
		{"node:get_indicator_state", readers},
		{"node:set_indicator_state", ownerMembers},
		{"node:inject_nmi", ownerManagers},
		{"node:get_states", readers},
		{"node:set_power_state", members},
		{"node:set_boot_mode", members},
		{"node:set_secure_boot", members},
		{"node:set_provision_state", operators},
		{"node:set_provision_state:clean_steps", operators},
		{"node:set_provision_state:service_steps", operators},
		{"node:set_raid_state", ownerMembers},
		{"node:get_console", ownerMembers},
		{"node:set_console_state", ownerMembers},
		{"node:vif:list", readers},
		{"node:vif:attach", operators},
		{"node:vif:detach", operators},
		{"node:traits:list", readers},
		{"node:traits:set", ownerManagers},
		{"node:traits:delete", ownerManagers},
		{"node:bios:get", readers},
		{"node:firmware:get", readers},
		{"node:history:get", ownerReaders},
		{"node:inventory:get", ownerReaders},
		{"node:vmedia:attach", members},
		{"node:vmedia:detach", members},
		{"node:vmedia:get", readers},
		{"node:vendor_passthru", systemAdmin},
	}
}

// nodeChangeRules are those of what patches of nodes change.
func nodeChangeRules() []rule {
	return []rule{
		{"node:update", members},
		{"node:update:driver_info", ownerMembers},
		{"node:update:properties", ownerMembers},
		{"node:update:chassis_uuid", systemAdmin},
		{"node:update:instance_uuid", ownerMembers},
		{"node:update:lessee", ownerMembers},
		{"node:update:owner", systemMember},
		{"node:update:driver_interfaces", ownerManagers},
		{"node:update:network_data", ownerMembers},
		{"node:update:conductor_group", systemMember},
		{"node:update:name", ownerMembers},
		{"node:update:retired", ownerMembers},
		{"node:update:shard", systemAdmin},
		{"node:update:parent_node", systemMember},
		{"node:update:disable_power_off", systemAdmin},
		{"node:update_extra", members},
		{"node:update_instance_info", operators},
		{"node:update_owner_provisioned", systemAdmin},
	}
}

func resourceRules() []rule {
	return []rule{
		{"shards:get", systemReaders},
		{"port:get", readers},
		{"port:list", everyReader},
		{"port:list_all", systemReaders},
		{"port:create", builders},
		{"port:delete", builders},
		{"port:update", ownerManagers},
		{"portgroup:get", readers},
		{"portgroup:list", everyReader},
		{"portgroup:list_all", systemReaders},
		{"portgroup:create", builders},
		{"portgroup:delete", builders},
		{"portgroup:update", ownerManagers},
		{"chassis:get", systemReaders},
		{"chassis:create", systemAdmin},
		{"chassis:delete", systemAdmin},
		{"chassis:update", systemMember},
		{"driver:get", systemReaders},
		{"driver:get_properties", systemReaders},
		{"driver:get_raid_logical_disk_properties", systemReaders},
		{"driver:vendor_passthru", systemAdmin},
		{"volume:list", everyReader},
		{"volume:list_all", systemReaders},
		{"volume:get", readers},
		{"volume:create", lesseeToo},
		{"volume:delete", lesseeToo},
		{"volume:update", operators},
		{"volume:view_target_properties", systemReaders | anyAdmin},
		{"conductor:get", systemReaders},
		{"allocation:get", systemReaders | ownerReader},
		{"allocation:list", everyReader},
		{"allocation:list_all", systemReaders},
		{"allocation:create", systemMember | anyMember},
		{"allocation:create_restricted", systemMember},
		{"allocation:create_fallback", systemMember | anyMember},
		{"allocation:delete", systemMember | ownerMember},
		{"allocation:update", systemMember | ownerMember},
		{"events:post", systemAdmin},
		{"deploy_template:get", systemReaders},
		{"deploy_template:create", systemAdmin},
		{"deploy_template:delete", systemAdmin},
		{"deploy_template:update", systemAdmin},
		{"runbook:get", systemReaders | ownerReader | anyService},
		{"runbook:list", everyReader},
		{"runbook:list_all", systemReaders},
		{"runbook:create", systemMember | anyManager | anyService},
		{"runbook:delete", systemMember | ownerManager | anyService},
		{"runbook:update", systemMember | ownerManager | anyService},
		{"runbook:update:public", systemMember},
		{"runbook:update:owner", systemMember},
		{"runbook:use", systemMember | ownerManager | anyService},
		{"inspection_rule:get", systemReaders},
		{"inspection_rule:create", systemAdmin},
		{"inspection_rule:update", systemAdmin},
		{"inspection_rule:delete", systemAdmin},
	}
}
