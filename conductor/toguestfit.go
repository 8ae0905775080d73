package conductor

import (
	"context"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// mayTurnGuest refuses a server whose instance cannot go on as a guest, and gives its ports.
func (c *Conductor) mayTurnGuest(ctx context.Context, n *ingot.Node) ([]ingot.Port, error) {
	if c.Guests == nil {
		return nil, unsupported(n, "management."+toGuestStep)
	}
	if why := unlikeGuests(n); why != "" {
		return nil, ingot.Errorf(ingot.Conflict, "node %s cannot become a guest: it %s", n.UUID, why)
	}
	machine, _, err := c.Machines.Machine(n)
	if err != nil {
		return nil, ingot.Fatal(err)
	}
	if _, manual := ingot.As[ingot.Manual](machine); manual {
		return nil, ingot.Errorf(ingot.Conflict, "node %s cannot become a guest: it is switched by hand, and nobody can make sure that it is off", n.UUID)
	}
	_, err = c.Guests.Hosts.Get(ctx, n.UUID)
	switch {
	case err == nil:
		return nil, ingot.Errorf(ingot.Conflict, "node %s cannot become a guest: it is a compute host", n.UUID)
	case ingot.CodeOf(err) != ingot.NotFound:
		return nil, err
	}
	ports, err := c.Nodes.ListPorts(ctx, ingot.PortQuery{NodeUUID: n.UUID, Page: ingot.Page{Limit: -1}})
	if err != nil {
		return nil, err
	}
	if len(ports) == 0 && n.Interfaces.Boot != "fake" {
		return nil, ingot.Errorf(ingot.Conflict, "node %s cannot become a guest: it has no port to boot the ramdisk from", n.UUID)
	}
	if verdict := c.validateBoot(n); verdict.Result != nil && !*verdict.Result {
		return nil, ingot.Errorf(ingot.Invalid, "node %s cannot boot the ramdisk: %s", n.UUID, verdict.Reason)
	}
	return ports, c.unbundled(ctx, n)
}

// unlikeGuests says what a server is or has that no guest could go on with; "" where there is nothing.
func unlikeGuests(n *ingot.Node) string {
	arch := ingot.Text(n.Properties, "cpu_arch")
	switch {
	case n.IsGuest():
		return "is one already"
	case n.ParentNode != "":
		return "is a child of another node"
	case n.MovedTo() != "" || n.CopiedTo() != "":
		return "may have a copy elsewhere: abort the service first"
	case n.DisablePowerOff:
		return "has disable_power_off set: it could not be kept from running beside the guest"
	case n.Interfaces.Deploy != "direct" && n.Interfaces.Deploy != "fake":
		return "has deploy interface " + n.Interfaces.Deploy + ": an agent has to read its disk"
	case arch != "" && arch != "x86_64":
		return "has cpu_arch " + arch + ", and guests are x86_64"
	case n.Firmware() == "":
		return "says nowhere whether it boots by bios or uefi: set boot_mode in its properties' capabilities"
	}
	return ""
}

// unbundled refuses a server of which a group of ports has a virtual interface: guests have no such groups.
func (c *Conductor) unbundled(ctx context.Context, n *ingot.Node) error {
	return c.NodePorts.ChangeNodePorts(ctx, n.UUID, func(_ *ingot.Node, _ []ingot.Port, groups []ingot.Portgroup) error {
		for i := range groups {
			if vif := ingot.Text(groups[i].Internal, ingot.VIFKey); vif != "" {
				return ingot.Errorf(ingot.Conflict, "node %s cannot become a guest: virtual interface %s is attached to port group %s, and guests have none", n.UUID, vif, groups[i].UUID)
			}
		}
		return nil
	})
}

// placeFor finds the hosts that have room for a guest of the flavor with such ports. Conflict: there are none, and why not;
// Invalid: the one that was named is not there, or not for the project ("" is all).
func (c *Conductor) placeFor(ctx context.Context, n *ingot.Node, ports []ingot.Port, f *ingot.Flavor, host, project string) ([]ingot.ComputeHost, ingot.Placement, error) {
	hosts, err := c.hostsFor(ctx, n)
	if err != nil {
		return nil, ingot.Placement{}, err
	}
	hosts = slices.DeleteFunc(hosts, func(h ingot.ComputeHost) bool { return !h.OpenTo(project) })
	traits, _ := n.InstanceTraits()
	asked := ingot.PlacementRequest{Flavor: *f, Traits: traits, PhysicalNetworks: ingot.NetworksOf(ports)}
	asked.SecureBoot = strings.EqualFold(ingot.Capability(n.InstanceInfo, "secure_boot"), "true")
	if host != "" {
		named, err := namedHost(hosts, host)
		if err != nil {
			return nil, ingot.Placement{}, ingot.Errorf(ingot.Invalid, "argument host of step management.%s: %w", toGuestStep, err)
		}
		asked.Candidates = []string{named}
	}
	placement := ingot.Place(hosts, asked)
	if len(placement.Candidates) == 0 {
		return nil, placement, ingot.Errorf(ingot.Conflict, "there is no place for the instance of node %s as flavor %s: %s", n.UUID, f.ResourceClass, placement.String())
	}
	return hosts, placement, nil
}

// namesOr are names in a sentence.
func namesOr(names []string, otherwise string) string {
	if len(names) == 0 {
		return otherwise
	}
	return strings.Join(names, ", ")
}
