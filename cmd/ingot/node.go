package main

import (
	"context"
	"net/url"
)

// nodeCommand is `ingot node`.
type nodeCommand struct {
	apiFlags
	List   listCommand   `cmd:"" group:"records" help:"List nodes."`
	Show   showCommand   `cmd:"" group:"records" help:"Show a node whole."`
	Create createCommand `cmd:"" group:"records" help:"Enrol a node: driver=ipmi name=n1 driver_info/ipmi_address=192.0.2.1 ...; its UUID is printed."`
	Set    nodeSet       `cmd:"" group:"records" help:"Change fields of a node."`
	Unset  unsetCommand  `cmd:"" group:"records" help:"Take fields of a node away."`
	Delete deleteCommand `cmd:"" group:"records" help:"Forget nodes."`

	nodeVerbs

	Power       nodePower       `cmd:"" group:"machine" help:"Switch nodes on or off."`
	Reboot      nodeReboot      `cmd:"" group:"machine" help:"Power-cycle nodes."`
	BootDevice  nodeBootDevice  `cmd:"" group:"machine" help:"What a node boots from next."`
	BootMode    nodeBootMode    `cmd:"" group:"machine" help:"Set BIOS or UEFI."`
	SecureBoot  nodeSecureBoot  `cmd:"" group:"machine" help:"Switch secure boot."`
	NMI         nodeNMI         `cmd:"" name:"nmi" group:"machine" help:"Interrupt nodes so that they dump their memory."`
	Console     nodeConsole     `cmd:"" group:"machine" help:"A node's console."`
	Indicators  nodeIndicators  `cmd:"" group:"machine" help:"A node's lights."`
	VMedia      nodeVMedia      `cmd:"" name:"vmedia" group:"machine" help:"A node's virtual drives."`
	RAID        nodeRAID        `cmd:"" name:"raid" group:"machine" help:"A node's RAID volumes."`
	Hypervisor  nodeHypervisor  `cmd:"" group:"machine" help:"A node as a compute host, on which guests run."`
	BMC         nodeBMC         `cmd:"" name:"bmc" group:"machine" help:"The virtual BMC in front of a guest."`
	Passthru    passthruVerbs   `cmd:"" group:"machine" help:"Call a method of a node's vendor interface."`
	Maintenance nodeMaintenance `cmd:"" group:"machine" help:"Take nodes out of service, or back."`

	Validate  nodeValidate `cmd:"" group:"knowledge" help:"Say for each interface whether a node is ready for it."`
	Traits    traitVerbs   `cmd:"" group:"knowledge" help:"A node's traits."`
	VIFs      nodeVIFs     `cmd:"" name:"vifs" group:"knowledge" help:"A node's virtual interfaces."`
	Events    nodeEvents   `cmd:"" group:"knowledge" help:"Follow what happens, to one node or to all."`
	nodeParts `group:"knowledge"`
}

func (*nodeCommand) resource() resource {
	return resource{
		path: []string{"nodes"}, detail: true,
		columns: []string{"name", "uuid", "power_state", "provision_state", "maintenance"},
		long:    []string{"driver", "resource_class", "conductor_group", "target_provision_state", "last_error"},
	}
}

// nodeSet is `ingot node set`.
type nodeSet struct {
	setCommand
	ResetInterfaces bool `name:"reset-interfaces" help:"With driver=: give all interfaces the new driver's defaults."`
}

// Run changes fields.
func (c *nodeSet) Run(ctx context.Context, s *session, r resource) error {
	list, err := assignments(c.Fields)
	if err != nil {
		return err
	}
	q := url.Values{}
	if c.ResetInterfaces {
		q.Set("reset_interfaces", "true")
	}
	return r.patch(ctx, s, c.Name, q, patches(list, nil))
}
