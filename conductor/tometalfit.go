package conductor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// unfit says why a node cannot take the guest's instance over; "" when it can.
func (s *metalSearch) unfit(n *ingot.Node) string {
	g := s.guest
	switch {
	case n.UUID == g.UUID || n.ParentNode != "" || n.IsGuest():
		return "is no metal of its own"
	case n.ProvisionState != ingot.Available:
		return fmt.Sprintf("is in state %s, not available", n.ProvisionState)
	case n.Maintenance:
		return "is in maintenance"
	case n.InstanceUUID != "":
		return "has instance " + n.InstanceUUID
	case n.PowerState == "":
		return "has no known power state"
	case n.DisablePowerOff:
		return "has disable_power_off set: it could not be kept from running beside the guest"
	case n.Owner != g.Owner:
		return "has another owner"
	case n.Lessee != "" && n.Lessee != g.Lessee:
		return "is leased to somebody else"
	case n.ConductorGroup != g.ConductorGroup:
		return "has another conductor group: " + orNothing(n.ConductorGroup)
	case s.wish.class != "" && n.ResourceClass != s.wish.class:
		return "has resource class " + orNothing(n.ResourceClass)
	}
	return firstText(s.misallocated(n), s.unlike(n))
}

// misallocated says why a node is not one that the guest's allocation may have.
func (s *metalSearch) misallocated(n *ingot.Node) string {
	if missing := ingot.Missing(s.wish.traits, n.Traits); len(missing) > 0 {
		return "lacks traits " + strings.Join(missing, ", ")
	}
	switch a := s.allocation; {
	case a == nil:
	case a.ResourceClass != n.ResourceClass:
		return fmt.Sprintf("has resource class %s, and allocation %s asks for %s", orNothing(n.ResourceClass), a.UUID, a.ResourceClass)
	case len(ingot.Missing(a.Traits, n.Traits)) > 0:
		return fmt.Sprintf("lacks traits of allocation %s: %s", a.UUID, strings.Join(ingot.Missing(a.Traits, n.Traits), ", "))
	case len(a.Candidates) > 0 && !slices.Contains(a.Candidates, n.UUID):
		return "is none of the candidate nodes of allocation " + a.UUID
	}
	return ""
}

// unlike says why what is installed on the guest cannot run on a node; what is not known of it is tried.
func (s *metalSearch) unlike(n *ingot.Node) string {
	arch := ingot.Text(s.guest.Properties, "cpu_arch")
	if arch == "" {
		arch = "x86_64" // as guests are
	}
	mode := ingot.Capability(s.guest.InstanceAt(n), "boot_mode")
	has := ingot.Capability(n.Properties, "boot_mode")
	disk, _ := ingot.GuestAmounts(s.guest)
	size, known := ingot.Whole(n.Properties[ingot.DiskGB.Property()])
	switch {
	case ingot.Text(n.Properties, "cpu_arch") != "" && ingot.Text(n.Properties, "cpu_arch") != arch:
		return "has cpu_arch " + ingot.Text(n.Properties, "cpu_arch") + ", and the guest " + arch
	case mode != "" && has != "" && mode != has:
		return "boots by " + has + ", and the guest by " + mode
	case known && size > 0 && size < disk[ingot.DiskGB]:
		return fmt.Sprintf("has local_gb %d, and the guest %d", size, disk[ingot.DiskGB])
	case n.Interfaces.Deploy != "direct" && n.Interfaces.Deploy != "fake":
		return "has deploy interface " + n.Interfaces.Deploy + ": an agent has to write its disk"
	}
	return ""
}

// unplugged says why a node is not connected as the guest's instance needs it, or cannot be driven.
func (s *metalSearch) unplugged(ctx context.Context, n *ingot.Node) (string, error) {
	machine, _, err := s.c.Machines.Machine(n)
	if err != nil {
		return err.Error(), nil
	}
	if _, manual := ingot.As[ingot.Manual](machine); manual {
		return "is switched by hand: nobody can make sure that it is off", nil
	}
	ports, err := s.c.Nodes.ListPorts(ctx, ingot.PortQuery{NodeUUID: n.UUID, Page: ingot.Page{Limit: -1}})
	if err != nil {
		return "", err
	}
	if len(ports) == 0 && n.Interfaces.Boot != "fake" {
		return "has no port to boot from", nil
	}
	if _, err := ingot.PairPorts(s.ports, ports); err != nil {
		return err.Error(), nil
	}
	if verdict := s.c.validateBoot(n); verdict.Result != nil && !*verdict.Result {
		return verdict.Reason, nil
	}
	return "", nil
}

func orNothing(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
