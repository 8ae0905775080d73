package clients_test

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/noauth"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/allocations"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/conductors"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/drivers"
	nodesv1 "github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/nodes"
	portsv1 "github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/ports"
	"github.com/stretchr/testify/require"
)

// gopher is the client that Metal3 and Terraform's provider use, in a microversion that it knows.
func (s *service) gopher(t *testing.T) *gophercloud.ServiceClient {
	t.Helper()
	c, err := noauth.NewBareMetalNoAuth(noauth.EndpointOpts{IronicEndpoint: s.URL + "/v1"})
	require.NoError(t, err)
	c.Microversion = "1.95"
	return c
}

// enrol makes a node as Metal3 does.
func enrol(t *testing.T, c *gophercloud.ServiceClient) *nodesv1.Node {
	t.Helper()
	off := false
	node, err := nodesv1.Create(t.Context(), c, nodesv1.CreateOpts{
		Name: "n1", Driver: "fake-hardware", DriverInfo: object{"address": "192.0.2.1", "ipmi_password": "x"},
		DeployInterface: "fake", AutomatedClean: &off, ResourceClass: "big", Properties: object{"capabilities": "boot_mode:uefi"},
	}).Extract()
	require.NoError(t, err)
	return node
}

// TestGophercloudLife goes through a node's life.
func TestGophercloudLife(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	node := enrol(t, c)
	require.Equal(t, "enroll", node.ProvisionState)
	require.Equal(t, "******", node.DriverInfo["ipmi_password"])
	require.False(t, *node.AutomatedClean)
	require.False(t, node.CreatedAt.IsZero())
	for _, step := range []struct {
		opts nodesv1.ProvisionStateOpts
		want nodesv1.ProvisionState
	}{
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetManage}, nodesv1.Manageable},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetInspect}, nodesv1.Manageable},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetClean, CleanSteps: []nodesv1.CleanStep{{Interface: nodesv1.InterfaceDeploy, Step: "erase_devices_metadata"}}}, nodesv1.Manageable},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetProvide}, nodesv1.Available},
		{nodesv1.ProvisionStateOpts{
			Target: nodesv1.TargetActive, ConfigDrive: nodesv1.ConfigDrive{MetaData: object{"hostname": "h1"}, UserData: "#cloud-config"},
		}, nodesv1.Active},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetRescue, RescuePassword: "x"}, nodesv1.Rescue},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetUnrescue}, nodesv1.Active},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetRebuild}, nodesv1.Active},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetDeleted}, nodesv1.Available},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetManage}, nodesv1.Manageable},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetAdopt}, nodesv1.Active},
		{nodesv1.ProvisionStateOpts{Target: nodesv1.TargetDeleted}, nodesv1.Available},
	} {
		if step.opts.Target == nodesv1.TargetManage { // enrolled without, and deleting takes it away
			s.must(t, 200, "PATCH", nodes+node.UUID, []object{{"op": "add", "path": "/instance_info", "value": s.image(t)}})
		}
		require.NoError(t, nodesv1.ChangeProvisionState(ctx, c, node.UUID, step.opts).ExtractErr(), step.opts.Target)
		require.NoError(t, nodesv1.WaitForProvisionState(ctx, c, node.UUID, step.want), step.opts.Target)
	}
	err := nodesv1.ChangeProvisionState(ctx, c, node.UUID, nodesv1.ProvisionStateOpts{Target: nodesv1.TargetDeleted}).ExtractErr()
	require.True(t, gophercloud.ResponseCodeIs(err, 400), err)
	require.NoError(t, nodesv1.Delete(ctx, c, node.UUID).ExtractErr())
	_, err = nodesv1.Get(ctx, c, node.UUID).Extract()
	require.True(t, gophercloud.ResponseCodeIs(err, 404), err)
}

// TestGophercloudNode reads and changes what there is of a node beside its life.
func TestGophercloudNode(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	node := enrol(t, c)
	update := nodesv1.UpdateOpts{
		nodesv1.UpdateOperation{Op: nodesv1.AddOp, Path: "/instance_info/image_source", Value: "http://192.0.2.9/a.raw"},
		nodesv1.UpdateOperation{Op: nodesv1.ReplaceOp, Path: "/instance_uuid", Value: uuid(99)},
	}
	node, err := nodesv1.Update(ctx, c, node.UUID, update).Extract()
	require.NoError(t, err)
	require.Equal(t, uuid(99), node.InstanceUUID)
	require.NoError(t, nodesv1.ChangeProvisionState(ctx, c, node.UUID, nodesv1.ProvisionStateOpts{Target: nodesv1.TargetManage}).ExtractErr())
	require.NoError(t, nodesv1.WaitForProvisionState(ctx, c, node.UUID, nodesv1.Manageable))

	require.NoError(t, nodesv1.SetMaintenance(ctx, c, node.UUID, nodesv1.MaintenanceOpts{Reason: "fan"}).ExtractErr())
	require.NoError(t, nodesv1.UnsetMaintenance(ctx, c, node.UUID).ExtractErr())
	verdicts, err := nodesv1.Validate(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.True(t, verdicts.Power.Result)
	require.NoError(t, nodesv1.SetBootDevice(ctx, c, node.UUID, nodesv1.BootDeviceOpts{BootDevice: "pxe", Persistent: true}).ExtractErr())
	device, err := nodesv1.GetBootDevice(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.Equal(t, "pxe", device.BootDevice)
	known, err := nodesv1.GetSupportedBootDevices(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.Contains(t, known, "disk")
	require.NoError(t, nodesv1.InjectNMI(ctx, c, node.UUID).ExtractErr())
	size := 10
	raid := nodesv1.RAIDConfigOpts{LogicalDisks: []nodesv1.LogicalDisk{{SizeGB: &size, RAIDLevel: nodesv1.RAID1}}}
	update = nodesv1.UpdateOpts{nodesv1.UpdateOperation{Op: nodesv1.ReplaceOp, Path: "/raid_interface", Value: "fake"}}
	_, err = nodesv1.Update(ctx, c, node.UUID, update).Extract()
	require.NoError(t, err)
	require.NoError(t, nodesv1.SetRAIDConfig(ctx, c, node.UUID, raid).ExtractErr())
	got, err := nodesv1.Get(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.NotEmpty(t, got.TargetRAIDConfig["logical_disks"])

	_, err = portsv1.Create(ctx, c, portsv1.CreateOpts{NodeUUID: node.UUID, Address: "52:54:00:00:00:01"}).Extract()
	require.NoError(t, err)
	_, err = nodesv1.GetInventory(ctx, c, node.UUID).Extract()
	require.True(t, gophercloud.ResponseCodeIs(err, 404), err)
	require.NoError(t, nodesv1.ChangePowerState(ctx, c, node.UUID, nodesv1.PowerStateOpts{Target: nodesv1.PowerOn, Timeout: 10}).ExtractErr())
	s.powered(t, node.UUID, "power on")
	require.NoError(t, nodesv1.ChangeProvisionState(ctx, c, node.UUID, nodesv1.ProvisionStateOpts{Target: nodesv1.TargetInspect}).ExtractErr())
	require.NoError(t, nodesv1.WaitForProvisionState(ctx, c, node.UUID, nodesv1.Manageable))
	found, err := nodesv1.GetInventory(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.Equal(t, 4, found.Inventory.CPU.Count)
}

// TestGophercloudParts: BIOS, firmware, vendor methods, virtual media and interfaces.
func TestGophercloudParts(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	furnish(t, s)
	node := uuid(6)
	settings, err := nodesv1.ListBIOSSettings(ctx, c, node, nodesv1.ListBIOSSettingsOpts{Detail: true}).Extract()
	require.NoError(t, err)
	_, err = nodesv1.GetBIOSSetting(ctx, c, node, "nosuch").Extract()
	require.True(t, gophercloud.ResponseCodeIs(err, 404), err)
	for _, setting := range settings {
		one, err := nodesv1.GetBIOSSetting(ctx, c, node, setting.Name).Extract()
		require.NoError(t, err)
		require.Equal(t, setting.Name, one.Name)
	}
	_, err = nodesv1.ListFirmware(ctx, c, node).Extract()
	require.NoError(t, err)

	methods, err := nodesv1.ListVendorPassthruMethods(ctx, c, node).Extract()
	require.NoError(t, err)
	require.Contains(t, methods, "third_method_sync")
	call := nodesv1.VendorPassthruCallOpts{Method: "third_method_sync", Body: object{"bar": "meow"}}
	require.NoError(t, nodesv1.CallVendorPassthru(ctx, c, node, "POST", call).Err)

	require.NoError(t, nodesv1.AttachVirtualInterface(ctx, c, uuid(1), nodesv1.VirtualInterfaceOpts{ID: uuid(98)}).ExtractErr())
	vifs, err := nodesv1.ListVirtualInterfaces(ctx, c, uuid(1)).Extract()
	require.NoError(t, err)
	require.Empty(t, vifs, "the noop network keeps none, as in Ironic")
	require.NoError(t, nodesv1.DetachVirtualInterface(ctx, c, uuid(1), uuid(98)).ExtractErr())

	media := nodesv1.AttachVirtualMediaOpts{DeviceType: nodesv1.VirtualMediaCD, ImageURL: "http://192.0.2.1/a.iso", ImageDownloadSource: nodesv1.ImageDownloadSourceHTTP}
	require.NoError(t, nodesv1.AttachVirtualMedia(ctx, c, node, media).ExtractErr())
	s.powered(t, node, "power on")
	err = nodesv1.GetVirtualMedia(ctx, c, node).Err
	require.NoError(t, err)
	require.Eventually(t, func() bool { // attaching goes on after its answer, and holds the node
		err = nodesv1.DetachVirtualMedia(ctx, c, node, nodesv1.DetachVirtualMediaOpts{}).ExtractErr()
		return !gophercloud.ResponseCodeIs(err, 409)
	}, patience, tick)
	require.NoError(t, err)
}

// TestGophercloudLists: lists with their filters.
func TestGophercloudLists(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	furnish(t, s)
	pages, err := nodesv1.ListDetail(c, nodesv1.ListOpts{ProvisionState: nodesv1.Active}).AllPages(ctx)
	require.NoError(t, err)
	list, err := nodesv1.ExtractNodes(pages)
	require.NoError(t, err)
	require.Len(t, list, 6)
	pages, err = nodesv1.List(c, nodesv1.ListOpts{Fields: []string{"uuid", "name"}, SortKey: "name"}).AllPages(ctx)
	require.NoError(t, err)
	list, err = nodesv1.ExtractNodes(pages)
	require.NoError(t, err)
	require.Len(t, list, 14)
	require.Equal(t, "n1", list[0].Name)
}

// TestGophercloudPorts: all of ports.
func TestGophercloudPorts(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	node := enrol(t, c)
	off := false
	port, err := portsv1.Create(ctx, c, portsv1.CreateOpts{
		NodeUUID: node.UUID, Address: "52:54:00:00:00:01", PXEEnabled: &off, PhysicalNetwork: "physnet1", Extra: object{"a": 1},
		LocalLinkConnection: object{"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "Eth0"},
	}).Extract()
	require.NoError(t, err)
	require.False(t, port.PXEEnabled)
	port, err = portsv1.Update(ctx, c, port.UUID, portsv1.UpdateOpts{portsv1.UpdateOperation{Op: portsv1.ReplaceOp, Path: "/address", Value: "52:54:00:00:00:02"}}).Extract()
	require.NoError(t, err)
	got, err := portsv1.Get(ctx, c, port.UUID).Extract()
	require.NoError(t, err)
	require.Equal(t, "52:54:00:00:00:02", got.Address)
	require.Equal(t, "physnet1", got.PhysicalNetwork)
	pages, err := portsv1.ListDetail(c, portsv1.ListOpts{NodeUUID: node.UUID}).AllPages(ctx)
	require.NoError(t, err)
	all, err := portsv1.ExtractPorts(pages)
	require.NoError(t, err)
	require.Len(t, all, 1)
	pages, err = portsv1.List(c, portsv1.ListOpts{Address: "52:54:00:00:00:01"}).AllPages(ctx)
	require.NoError(t, err)
	all, err = portsv1.ExtractPorts(pages)
	require.NoError(t, err)
	require.Empty(t, all)
	require.NoError(t, portsv1.Delete(ctx, c, port.UUID).ExtractErr())
}

// TestGophercloudDrivers: drivers and conductors.
func TestGophercloudDrivers(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	driver, err := drivers.GetDriverDetails(ctx, c, "fake-hardware").Extract()
	require.NoError(t, err)
	require.Equal(t, "fake", driver.DefaultPowerInterface)
	pages, err := drivers.ListDrivers(c, drivers.ListDriversOpts{Detail: true}).AllPages(ctx)
	require.NoError(t, err)
	all, err := drivers.ExtractDrivers(pages)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 3)
	properties, err := drivers.GetDriverProperties(ctx, c, "ipmi").Extract()
	require.NoError(t, err)
	require.Contains(t, *properties, "ipmi_address")
	disks, err := drivers.GetDriverDiskProperties(ctx, c, "fake-hardware").Extract()
	require.NoError(t, err)
	require.Contains(t, *disks, "raid_level")

	pages, err = conductors.List(c, conductors.ListOpts{Detail: true}).AllPages(ctx)
	require.NoError(t, err)
	list, err := conductors.ExtractConductors(pages)
	require.NoError(t, err)
	require.Len(t, list, 1)
	conductor, err := conductors.Get(ctx, c, list[0].Hostname).Extract()
	require.NoError(t, err)
	require.True(t, conductor.Alive)
}

// TestGophercloudAllocations: an allocation finds a node, and gives it back.
func TestGophercloudAllocations(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t), t.Context()
	node := enrol(t, c)
	require.NoError(t, nodesv1.ChangeProvisionState(ctx, c, node.UUID, nodesv1.ProvisionStateOpts{Target: nodesv1.TargetManage}).ExtractErr())
	require.NoError(t, nodesv1.WaitForProvisionState(ctx, c, node.UUID, nodesv1.Manageable))
	require.NoError(t, nodesv1.ChangeProvisionState(ctx, c, node.UUID, nodesv1.ProvisionStateOpts{Target: nodesv1.TargetProvide}).ExtractErr())
	require.NoError(t, nodesv1.WaitForProvisionState(ctx, c, node.UUID, nodesv1.Available))
	made, err := allocations.Create(ctx, c, allocations.CreateOpts{Name: "a1", ResourceClass: "big", CandidateNodes: []string{"n1"}, Extra: map[string]string{"a": "b"}}).Extract()
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		made, err = allocations.Get(ctx, c, made.UUID).Extract()
		return err == nil && made.State == allocations.Active
	}, patience, tick, "%+v", made)
	require.Equal(t, node.UUID, made.NodeUUID)
	pages, err := allocations.List(c, allocations.ListOpts{Node: "n1", State: allocations.AllocationState(allocations.Active), ResourceClass: "big"}).AllPages(ctx)
	require.NoError(t, err)
	all, err := allocations.ExtractAllocations(pages)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NoError(t, allocations.Delete(ctx, c, made.UUID).ExtractErr())
}
