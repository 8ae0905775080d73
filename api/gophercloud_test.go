package api_test

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/noauth"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/conductors"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/drivers"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/nodes"
	"github.com/gophercloud/gophercloud/v2/openstack/baremetal/v1/ports"
	"github.com/stretchr/testify/require"
)

// gopher is the client that Metal3 and Terraform's provider use.
func (s *service) gopher(t *testing.T, microversion string) *gophercloud.ServiceClient {
	t.Helper()
	c, err := noauth.NewBareMetalNoAuth(noauth.EndpointOpts{IronicEndpoint: s.URL + "/v1"})
	require.NoError(t, err)
	c.Microversion = microversion
	return c
}

// TestGophercloud goes through a node's life as Metal3 does.
func TestGophercloud(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, ctx := s.gopher(t, "1.95"), t.Context()
	off := false
	node, err := nodes.Create(ctx, c, nodes.CreateOpts{
		Name: "n1", Driver: "ipmi", DriverInfo: map[string]any{"ipmi_address": "192.0.2.1", "ipmi_password": "x"},
		DeployInterface: "direct", AutomatedClean: &off, ResourceClass: "big", Properties: map[string]any{"capabilities": "boot_mode:uefi"},
	}).Extract()
	require.NoError(t, err)
	require.Equal(t, "enroll", node.ProvisionState)
	require.Equal(t, "******", node.DriverInfo["ipmi_password"])
	require.False(t, *node.AutomatedClean)
	require.False(t, node.CreatedAt.IsZero())

	port, err := ports.Create(ctx, c, ports.CreateOpts{NodeUUID: node.UUID, Address: "52:54:00:00:00:01"}).Extract()
	require.NoError(t, err)
	require.True(t, port.PXEEnabled)
	pages, err := ports.ListDetail(c, ports.ListOpts{NodeUUID: node.UUID}).AllPages(ctx)
	require.NoError(t, err)
	all, err := ports.ExtractPorts(pages)
	require.NoError(t, err)
	require.Len(t, all, 1)

	update := nodes.UpdateOpts{
		nodes.UpdateOperation{Op: nodes.AddOp, Path: "/instance_info/image_source", Value: "http://192.0.2.9/a.raw"},
		nodes.UpdateOperation{Op: nodes.ReplaceOp, Path: "/instance_uuid", Value: nobody},
	}
	node, err = nodes.Update(ctx, c, node.UUID, update).Extract()
	require.NoError(t, err)
	require.Equal(t, nobody, node.InstanceUUID)

	for _, step := range []struct {
		opts nodes.ProvisionStateOpts
		want nodes.ProvisionState
	}{
		{nodes.ProvisionStateOpts{Target: nodes.TargetManage}, nodes.Manageable},
		{nodes.ProvisionStateOpts{Target: nodes.TargetInspect}, nodes.Manageable},
		{nodes.ProvisionStateOpts{Target: nodes.TargetClean, CleanSteps: []nodes.CleanStep{{Interface: nodes.InterfaceDeploy, Step: "erase_devices_metadata"}}}, nodes.Manageable},
		{nodes.ProvisionStateOpts{Target: nodes.TargetProvide}, nodes.Available},
		{nodes.ProvisionStateOpts{
			Target: nodes.TargetActive, ConfigDrive: nodes.ConfigDrive{MetaData: map[string]any{"hostname": "h1"}, UserData: "#cloud-config"},
			DeploySteps: []nodes.DeployStep{{Interface: nodes.InterfaceDeploy, Step: "inject_files", Priority: 50, Args: map[string]any{}}},
		}, nodes.Active},
		{nodes.ProvisionStateOpts{Target: nodes.TargetService, ServiceSteps: []nodes.ServiceStep{{Interface: nodes.InterfaceBIOS, Step: "apply_configuration", Args: map[string]any{}}}}, nodes.Active},
		{nodes.ProvisionStateOpts{Target: nodes.TargetDeleted}, nodes.Available},
	} {
		require.NoError(t, nodes.ChangeProvisionState(ctx, c, node.UUID, step.opts).ExtractErr(), step.opts.Target)
		require.NoError(t, nodes.WaitForProvisionState(ctx, c, node.UUID, step.want))
	}
	err = nodes.ChangeProvisionState(ctx, c, node.UUID, nodes.ProvisionStateOpts{Target: nodes.TargetDeleted}).ExtractErr()
	require.True(t, gophercloud.ResponseCodeIs(err, 400), err)

	require.NoError(t, nodes.ChangePowerState(ctx, c, node.UUID, nodes.PowerStateOpts{Target: nodes.SoftPowerOff, Timeout: 10}).ExtractErr())
	require.NoError(t, nodes.SetBootDevice(ctx, c, node.UUID, nodes.BootDeviceOpts{BootDevice: "pxe", Persistent: true}).ExtractErr())
	device, err := nodes.GetBootDevice(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.Equal(t, "pxe", device.BootDevice)
	known, err := nodes.GetSupportedBootDevices(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.Equal(t, []string{"pxe", "disk"}, known)
	require.NoError(t, nodes.InjectNMI(ctx, c, node.UUID).ExtractErr())
	require.NoError(t, nodes.SetMaintenance(ctx, c, node.UUID, nodes.MaintenanceOpts{Reason: "fan"}).ExtractErr())
	require.NoError(t, nodes.UnsetMaintenance(ctx, c, node.UUID).ExtractErr())
	verdicts, err := nodes.Validate(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.True(t, verdicts.Power.Result)
	require.Equal(t, "missing in instance_info: image_source", verdicts.Deploy.Reason)

	got, err := nodes.Get(ctx, c, node.UUID).Extract()
	require.NoError(t, err)
	require.Equal(t, "power off", got.PowerState)
	pages, err = nodes.ListDetail(c, nodes.ListOpts{ResourceClass: "big", ProvisionState: nodes.Available, Limit: 1}).AllPages(ctx)
	require.NoError(t, err)
	list, err := nodes.ExtractNodes(pages)
	require.NoError(t, err)
	require.Len(t, list, 1)
	pages, err = nodes.List(c, nodes.ListOpts{Fields: []string{"uuid", "name"}}).AllPages(ctx)
	require.NoError(t, err)
	list, err = nodes.ExtractNodes(pages)
	require.NoError(t, err)
	require.Equal(t, "n1", list[0].Name)

	driver, err := drivers.GetDriverDetails(ctx, c, "ipmi").Extract()
	require.NoError(t, err)
	require.Equal(t, "ipmitool", driver.DefaultPowerInterface)
	conductor, err := conductors.Get(ctx, c, "host1").Extract()
	require.NoError(t, err)
	require.True(t, conductor.Alive)

	require.NoError(t, ports.Delete(ctx, c, port.UUID).ExtractErr())
	update = nodes.UpdateOpts{nodes.UpdateOperation{Op: nodes.RemoveOp, Path: "/instance_uuid"}}
	_, err = nodes.Update(ctx, c, node.UUID, update).Extract()
	require.NoError(t, err)
	require.NoError(t, nodes.Delete(ctx, c, node.UUID).ExtractErr())
	_, err = nodes.Get(ctx, c, node.UUID).Extract()
	require.True(t, gophercloud.ResponseCodeIs(err, 404), err)
}
