package ingot

import (
	"slices"
	"strings"
)

// PlacementOf asks for the place that a guest needs by its node and its ports.
func PlacementOf(n *Node, ports []Port) (PlacementRequest, error) {
	amounts, err := GuestAmounts(n)
	req := PlacementRequest{
		Flavor: Flavor{ResourceClass: n.ResourceClass, Resources: amounts, Arch: Text(n.Properties, "cpu_arch")},
		Group:  Text(n.DriverInfo, "anti_affinity_group"), Pool: n.DiskPool(), TPM: n.DriverInfo["vtpm"] == true,
		PhysicalNetworks: NetworksOf(ports),
	}
	for _, from := range []map[string]any{n.Properties, n.InstanceInfo} { // as the machine is made
		if mode := Capability(from, "boot_mode"); mode != "" {
			req.Flavor.BootMode = BootMode(mode)
		}
		req.SecureBoot = req.SecureBoot || strings.EqualFold(Capability(from, "secure_boot"), "true")
	}
	return req, err
}

// NetworksOf are the physical networks that ports need.
func NetworksOf(ports []Port) (names []string) {
	for i := range ports {
		if network := ports[i].PhysicalNetwork; network != "" && !slices.Contains(names, network) {
			names = append(names, network)
		}
	}
	return names
}
