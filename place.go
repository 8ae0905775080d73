package ingot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place says which hosts a guest could be on, the best first, and counts why not on the others. It decides nothing: who
// creates the guest claims what it needs, and that may fail.
func Place(hosts []ComputeHost, req PlacementRequest) Placement {
	var p Placement
	var fit []*ComputeHost
	for i := range hosts {
		h := &hosts[i]
		if reason, detail := req.rejects(h); reason != "" {
			p.Rejected = append(p.Rejected, Rejection{Host: h.Node.UUID, Name: h.Node.Name, Reason: reason, Detail: detail})
			continue
		}
		fit = append(fit, h)
	}
	best := Amounts{}
	var troubles int64
	for _, h := range fit {
		for _, resource := range Resources() {
			best[resource] = max(best[resource], h.free(resource))
		}
		troubles = max(troubles, h.Hypervisor.troubles())
	}
	for _, h := range fit {
		p.Candidates = append(p.Candidates, PlacementCandidate{
			Host: h.Node.UUID, Name: h.Node.Name, Weight: req.weight(h, best, troubles), VirtType: h.Hypervisor.Facts.VirtType(),
		})
	}
	slices.SortStableFunc(p.Candidates, func(a, b PlacementCandidate) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Host, b.Host))
	})
	return p
}

// alike is how much less a host may weigh than the best one to be as good: guests that are placed together, which all see
// the same, then do not all go to one. It is less than what an image that is there counts, or the half of a host's memory.
const alike = 0.25

// Best are the candidates that are as good as the first; any of them may be taken.
func (p *Placement) Best() []PlacementCandidate {
	n := 0
	for n < len(p.Candidates) && p.Candidates[0].Weight-p.Candidates[n].Weight <= alike {
		n++
	}
	return p.Candidates[:n]
}

// rejects is why a host will not do, in a few words that others may share, and what is particular to it; "" when it will.
func (req *PlacementRequest) rejects(h *ComputeHost) (reason, detail string) {
	for _, filter := range []func(*ComputeHost) (string, string){req.unwanted, req.unwell, req.Unlike, req.full} {
		if reason, detail = filter(h); reason != "" {
			break
		}
	}
	return reason, detail
}

// unwanted is a host that the request leaves out.
func (req *PlacementRequest) unwanted(h *ComputeHost) (string, string) {
	switch {
	case slices.Contains(req.Excluded, h.Node.UUID):
		return "failed before", ""
	case len(req.Candidates) > 0 && !slices.Contains(req.Candidates, h.Node.UUID):
		return "not among the candidates", ""
	case !h.OpenTo(req.Project):
		return "of another project", ""
	}
	return "", ""
}

// OpenTo says whether a project's guests may be here: the host is the project's, or nobody's. "" is anybody.
func (h *ComputeHost) OpenTo(project string) bool {
	return project == "" || h.Node.Owner+h.Node.Lessee == "" || h.Node.Owner == project || h.Node.Lessee == project
}

// unwell is a host that takes no guests now.
func (req *PlacementRequest) unwell(h *ComputeHost) (string, string) { return h.Closed() }

// Closed is why the host takes no new guests, in a few words, and what is particular to it; "" when it does.
func (h *ComputeHost) Closed() (reason, detail string) {
	switch n := &h.Node; {
	case n.Maintenance:
		return "in maintenance", n.MaintenanceReason
	case n.Retired:
		return "retired", n.RetiredReason
	case n.ProvisionState != Active:
		return "not active", string(n.ProvisionState)
	case n.ParentNode != "":
		return "a child of another node", ""
	case h.Hypervisor.State != HypervisorUp:
		return string(h.Hypervisor.State), h.Hypervisor.StateReason
	}
	return "", ""
}

// Unlike says what the flavor or the request needs that a host has not, in a few words, and what is particular to the host;
// "" where it has all. Whether there is room is not looked at.
func (req *PlacementRequest) Unlike(h *ComputeHost) (reason, detail string) {
	for _, filter := range []func(*ComputeHost) (string, string){req.otherMachine, req.traitless, req.otherDisks, req.unplugged} {
		if reason, detail = filter(h); reason != "" {
			break
		}
	}
	return reason, detail
}

// otherMachine is a host that has other processors or firmware.
func (req *PlacementRequest) otherMachine(h *ComputeHost) (string, string) {
	switch facts := &h.Hypervisor.Facts; {
	case req.Flavor.Arch != "" && req.Flavor.Arch != facts.Arch:
		return "not " + req.Flavor.Arch, facts.Arch
	case req.Flavor.BootMode == ModeUEFI && !facts.UEFI:
		return "no UEFI firmware", ""
	case req.SecureBoot && !facts.SecureBoot:
		return "no firmware with Secure Boot", ""
	case req.TPM && !facts.TPM:
		return "no TPM for guests", ""
	case req.VirtType != "" && !slices.Contains(facts.VirtTypes, req.VirtType):
		return "no " + req.VirtType, ""
	}
	return "", ""
}

// traitless is a host that has not the traits; no host has those that a guest could not inherit.
func (req *PlacementRequest) traitless(h *ComputeHost) (string, string) {
	wanted := slices.Clone(req.Flavor.RequiredTraits)
	for _, trait := range Missing(req.Traits, append([]string{VirtualTrait}, req.Flavor.ProvidedTraits...)) {
		if !slices.Contains(req.Flavor.InheritTraits, trait) {
			return "trait " + trait + " is not inherited", ""
		}
		wanted = append(wanted, trait)
	}
	if missing := Missing(wanted, h.Node.Traits); len(missing) > 0 {
		return "no trait " + missing[0], ""
	}
	return "", ""
}

// otherDisks is a host that has not the pool for the guest's disk, or one for other disks.
func (req *PlacementRequest) otherDisks(h *ComputeHost) (string, string) {
	pool := h.Hypervisor.Pool(req.Pool)
	switch {
	case pool == nil && req.Pool != "":
		return "no pool " + req.Pool, "it has " + h.Hypervisor.poolNames()
	case pool == nil:
		return "no pool for disks", ""
	case req.SharedPool != "" && (pool.Name != req.SharedPool || !pool.Shared):
		return "does not share pool " + req.SharedPool, ""
	case req.DiskFormat != "" && pool.DiskFormat() != req.DiskFormat:
		return "no " + req.DiskFormat + " disks", "pool " + pool.Name + " has " + pool.DiskFormat()
	case req.Source != nil && slices.ContainsFunc(h.Hypervisor.Pools, func(p StoragePool) bool { return p.Name == req.Source.Name && p.Shared != req.Source.Shared }):
		return "pool " + req.Source.Name + " is shared on one side alone", "set it on both, or on neither"
	}
	return "", ""
}

// unplugged is a host that has not the networks.
func (req *PlacementRequest) unplugged(h *ComputeHost) (string, string) {
	for _, network := range req.PhysicalNetworks {
		if !slices.ContainsFunc(h.Hypervisor.Networks, func(n GuestNetwork) bool { return n.PhysicalNetwork == network }) {
			return "no network " + network, ""
		}
	}
	return "", ""
}

// full is a host that has no room.
func (req *PlacementRequest) full(h *ComputeHost) (string, string) {
	if req.Group != "" && slices.Contains(h.Groups, req.Group) {
		return "has a guest of group " + req.Group, ""
	}
	claim := h.Hypervisor.Claim(req.Pool, req.Flavor.Resources)
	for _, resource := range Resources() {
		asked := claim[resource]
		i := slices.IndexFunc(h.Capacities, func(c Capacity) bool { return c.Resource == resource })
		switch {
		case i < 0:
			return "not probed yet", ""
		case h.Capacities[i].Refuse(asked) != nil:
			return "lacks " + string(resource), fmt.Sprintf("asked %d, free %d", asked, min(h.Capacities[i].Free(), h.Capacities[i].MaxUnit))
		}
	}
	return "", ""
}

func (h *ComputeHost) free(resource Resource) int64 {
	for i := range h.Capacities {
		if h.Capacities[i].Resource == resource {
			return h.Capacities[i].Free()
		}
	}
	return 0
}

// weight prefers what is emptier, what has the image already, and what had no trouble lately. Each part is from 0 to 1 of
// the best candidate's, times how much it counts. An emulated guest is many times slower: a full host that has KVM is
// better than an empty one without.
func (req *PlacementRequest) weight(h *ComputeHost, best Amounts, troubles int64) float64 {
	part := func(n, of int64) float64 {
		if of == 0 {
			return 0
		}
		return float64(n) / float64(of)
	}
	w := part(h.free(MemoryMB), best[MemoryMB]) + part(h.free(VCPU), best[VCPU]) + part(h.free(DiskGB), best[DiskGB])/2
	if req.Image != "" && slices.Contains(h.Hypervisor.Facts.CachedImages, req.Image) {
		w += 0.5
	}
	if h.Hypervisor.Facts.VirtType() == "kvm" {
		w += 3
	}
	return w - 5*part(h.Hypervisor.troubles(), troubles)
}

// String is the placement in a sentence: how many hosts were looked at, and why how many of them will not do.
func (p *Placement) String() string {
	considered := len(p.Candidates) + len(p.Rejected)
	if considered == 0 {
		return "there are no compute hosts"
	}
	words := []string{}
	if n := len(p.Candidates); n > 0 {
		words = append(words, fmt.Sprintf("%d suitable", n))
	}
	var reasons []string
	count, detail := map[string]int{}, map[string]string{}
	for _, r := range p.Rejected {
		if count[r.Reason]++; count[r.Reason] == 1 {
			reasons = append(reasons, r.Reason)
		}
		detail[r.Reason] = r.Detail
	}
	for _, reason := range reasons {
		text := fmt.Sprintf("%d %s", count[reason], reason)
		if count[reason] == 1 && detail[reason] != "" {
			text += " (" + detail[reason] + ")"
		}
		words = append(words, text)
	}
	noun := "hosts"
	if considered == 1 {
		noun = "host"
	}
	return fmt.Sprintf("%d %s considered: %s", considered, noun, strings.Join(words, ", "))
}
