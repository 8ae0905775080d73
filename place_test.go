package ingot_test

import (
	"slices"
	"testing"

	"github.com/ingot-metal/ingot"
)

// computeHost has room for four processors, 8 GiB and 100 GB, of which so much is used.
func computeHost(name string, usedMB int64, change func(*ingot.ComputeHost)) ingot.ComputeHost {
	h := ingot.ComputeHost{
		Node:       ingot.Node{UUID: name, Name: name, ProvisionState: ingot.Active, Traits: []string{"CUSTOM_SSD"}, Owner: "p1"},
		Hypervisor: ingot.Hypervisor{NodeUUID: name, State: ingot.HypervisorUp, Pools: []ingot.StoragePool{{Name: "default"}}, Facts: ingot.HostFacts{Arch: "x86_64", UEFI: true, SecureBoot: true, TPM: true}},
		Capacities: []ingot.Capacity{
			{Host: name, Resource: ingot.DiskGB, Total: 100, Ratio: 1000, MaxUnit: 100, StepSize: 1},
			{Host: name, Resource: ingot.MemoryMB, Total: 8192, Ratio: 1000, MaxUnit: 8192, StepSize: 1, Used: usedMB},
			{Host: name, Resource: ingot.VCPU, Total: 4, Ratio: 4000, MaxUnit: 4, StepSize: 1},
		},
	}
	if change != nil {
		change(&h)
	}
	return h
}

func smallFlavor() ingot.Flavor {
	return ingot.Flavor{
		ResourceClass: "compute.small", Resources: ingot.Amounts{ingot.VCPU: 2, ingot.MemoryMB: 4096, ingot.DiskGB: 20}, Arch: "x86_64",
		BootMode: ingot.ModeUEFI, ProvidedTraits: []string{"CUSTOM_SMALL"}, InheritTraits: []string{"CUSTOM_SSD"},
	}
}

func TestPlaceRejects(t *testing.T) {
	t.Parallel()
	request := ingot.PlacementRequest{
		Flavor: smallFlavor(), Traits: []string{"CUSTOM_SMALL", "CUSTOM_SSD", "CUSTOM_VIRTUAL"}, Group: "web", Project: "p1", Excluded: []string{"excluded"},
		PhysicalNetworks: []string{"physnet1"}, DiskFormat: "qcow2", SecureBoot: true, TPM: true,
	}
	networked := func(change func(*ingot.ComputeHost)) func(*ingot.ComputeHost) {
		return func(h *ingot.ComputeHost) {
			h.Hypervisor.Networks = []ingot.GuestNetwork{{PhysicalNetwork: "physnet1", Bridge: "br0"}}
			if change != nil {
				change(h)
			}
		}
	}
	for name, row := range map[string]struct {
		change       func(*ingot.ComputeHost)
		used         int64
		want, detail string
	}{
		"good":     {},
		"excluded": {want: "failed before"},
		"foreign":  {change: func(h *ingot.ComputeHost) { h.Node.Owner = "p2" }, want: "of another project"},
		"broken":   {change: func(h *ingot.ComputeHost) { h.Node.Maintenance = true }, want: "in maintenance"},
		"old":      {change: func(h *ingot.ComputeHost) { h.Node.Retired = true }, want: "retired"},
		"unused":   {change: func(h *ingot.ComputeHost) { h.Node.ProvisionState = ingot.Available }, want: "not active", detail: "available"},
		"child":    {change: func(h *ingot.ComputeHost) { h.Node.ParentNode = "other" }, want: "a child of another node"},
		"dead": {change: func(h *ingot.ComputeHost) {
			h.Hypervisor.State, h.Hypervisor.StateReason = ingot.HypervisorDown, "refused"
		}, want: "down", detail: "refused"},
		"leaving":   {change: func(h *ingot.ComputeHost) { h.Hypervisor.State = ingot.HypervisorDraining }, want: "draining"},
		"arm":       {change: func(h *ingot.ComputeHost) { h.Hypervisor.Facts.Arch = "aarch64" }, want: "not x86_64", detail: "aarch64"},
		"bios":      {change: func(h *ingot.ComputeHost) { h.Hypervisor.Facts.UEFI = false }, want: "no UEFI firmware"},
		"insecure":  {change: func(h *ingot.ComputeHost) { h.Hypervisor.Facts.SecureBoot = false }, want: "no firmware with Secure Boot"},
		"tpmless":   {change: func(h *ingot.ComputeHost) { h.Hypervisor.Facts.TPM = false }, want: "no TPM for guests"},
		"poolless":  {change: func(h *ingot.ComputeHost) { h.Hypervisor.Pools = nil }, want: "no pool for disks"},
		"raw":       {change: func(h *ingot.ComputeHost) { h.Hypervisor.Pools[0].Formats = []string{"raw"} }, want: "no qcow2 disks", detail: "pool default has raw"},
		"traitless": {change: func(h *ingot.ComputeHost) { h.Node.Traits = nil }, want: "no trait CUSTOM_SSD"},
		"netless":   {change: func(h *ingot.ComputeHost) { h.Hypervisor.Networks = nil }, want: "no network physnet1"},
		"grouped":   {change: func(h *ingot.ComputeHost) { h.Groups = []string{"db", "web"} }, want: "has a guest of group web"},
		"full":      {used: 8000, want: "lacks MEMORY_MB", detail: "asked 4096, free 192"},
		"small":     {change: func(h *ingot.ComputeHost) { h.Capacities[2].MaxUnit = 1 }, want: "lacks VCPU", detail: "asked 2, free 1"},
		"new":       {change: func(h *ingot.ComputeHost) { h.Capacities = nil }, want: "not probed yet"},
	} {
		got := ingot.Place([]ingot.ComputeHost{computeHost(name, row.used, networked(row.change))}, request)
		if row.want == "" {
			if len(got.Candidates) != 1 || len(got.Rejected) != 0 {
				t.Errorf("%s: %v", name, got)
			}
			continue
		}
		if len(got.Rejected) != 1 || got.Rejected[0].Reason != row.want || got.Rejected[0].Detail != row.detail {
			t.Errorf("%s: want %q (%q), got %+v", name, row.want, row.detail, got)
		}
	}
	request.Candidates = []string{"other"}
	if got := ingot.Place([]ingot.ComputeHost{computeHost("good", 0, networked(nil))}, request); got.Rejected[0].Reason != "not among the candidates" {
		t.Errorf("candidates: %v", got)
	}
	request.Candidates, request.Traits = nil, []string{"CUSTOM_GPU"}
	if got := ingot.Place([]ingot.ComputeHost{computeHost("good", 0, networked(nil))}, request); got.Rejected[0].Reason != "trait CUSTOM_GPU is not inherited" {
		t.Errorf("traits: %v", got)
	}
}

func TestPlaceWeighs(t *testing.T) {
	t.Parallel()
	request := ingot.PlacementRequest{Flavor: smallFlavor(), Image: "sum"}
	hosts := []ingot.ComputeHost{
		computeHost("half", 4096, nil),
		computeHost("failing", 0, func(h *ingot.ComputeHost) { h.Hypervisor.Failures = 2 }),
		computeHost("empty", 0, nil),
		computeHost("stalled", 0, func(h *ingot.ComputeHost) { h.Hypervisor.Facts.Stalled = []string{"guest"} }),
		computeHost("cached", 0, func(h *ingot.ComputeHost) { h.Hypervisor.Facts.CachedImages = []string{"sum"} }),
		computeHost("dead", 0, func(h *ingot.ComputeHost) { h.Hypervisor.State = ingot.HypervisorDown }),
		computeHost("full", 8192, nil),
		computeHost("full2", 8000, nil),
	}
	got := ingot.Place(hosts, request)
	want := []string{"cached", "empty", "half", "stalled", "failing"}
	for i, c := range got.Candidates {
		if i >= len(want) || c.Host != want[i] {
			t.Fatalf("want %v, got %+v", want, got.Candidates)
		}
	}
	if s := got.String(); s != "8 hosts considered: 5 suitable, 1 down, 2 lacks MEMORY_MB" {
		t.Error(s)
	}
	if s := (&ingot.Placement{}).String(); s != "there are no compute hosts" {
		t.Error(s)
	}
	one := ingot.Place(hosts[6:7], request)
	if s := one.String(); s != "1 host considered: 1 lacks MEMORY_MB (asked 4096, free 0)" {
		t.Error(s)
	}
}

// TestPlaceChooses: what speaks for or against a host decides, however few there are; what is alike does not.
func TestPlaceChooses(t *testing.T) {
	t.Parallel()
	failing := computeHost("failing", 0, func(h *ingot.ComputeHost) { h.Hypervisor.Failures = 1 })
	stalled := computeHost("stalled", 0, func(h *ingot.ComputeHost) { h.Hypervisor.Facts.Stalled = []string{"guest"} })
	cached := computeHost("cached", 0, func(h *ingot.ComputeHost) { h.Hypervisor.Facts.CachedImages = []string{"sum"} })
	kvm := func(name string, usedMB int64) ingot.ComputeHost {
		return computeHost(name, usedMB, func(h *ingot.ComputeHost) { h.Hypervisor.Facts.VirtTypes = []string{"kvm", "qemu"} })
	}
	emulating := computeHost("emulating", 0, func(h *ingot.ComputeHost) { h.Hypervisor.Facts.VirtTypes = []string{"qemu"} })
	empty, light, half := computeHost("empty", 0, nil), computeHost("light", 512, nil), computeHost("half", 4096, nil)
	for _, row := range []struct {
		hosts []ingot.ComputeHost
		want  []string
	}{
		{[]ingot.ComputeHost{failing, half}, []string{"half"}},
		{[]ingot.ComputeHost{failing, stalled, half}, []string{"half"}},
		{[]ingot.ComputeHost{half, empty, light}, []string{"empty", "light"}},
		{[]ingot.ComputeHost{empty, cached}, []string{"cached"}},
		{[]ingot.ComputeHost{emulating, kvm("k", 4096)}, []string{"k"}},
		{[]ingot.ComputeHost{emulating, kvm("k", 8000)}, []string{"emulating"}}, // the other is full
		{[]ingot.ComputeHost{failing}, []string{"failing"}},
		{nil, nil},
	} {
		placement := ingot.Place(row.hosts, ingot.PlacementRequest{Flavor: smallFlavor(), Image: "sum"})
		var got []string
		for _, c := range placement.Best() {
			got = append(got, c.Host)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("want %v, got %v of %+v", row.want, got, placement.Candidates)
		}
	}
}

// TestPlaceOfDisks: a guest's disk is in the pool that it names, and takes of the host's DISK_GB where that is the first.
func TestPlaceOfDisks(t *testing.T) {
	t.Parallel()
	one := func(name string, pools ...ingot.StoragePool) []ingot.ComputeHost {
		return []ingot.ComputeHost{computeHost(name, 0, func(h *ingot.ComputeHost) { h.Hypervisor.Pools = pools })}
	}
	first, second := ingot.StoragePool{Name: "default", Formats: []string{"raw", "qcow2"}}, ingot.StoragePool{Name: "fast", Formats: []string{"raw"}, Shared: true}
	big := ingot.PlacementRequest{Flavor: ingot.Flavor{Resources: ingot.Amounts{ingot.DiskGB: 101, ingot.VCPU: 1, ingot.MemoryMB: 1}}}
	for _, row := range []struct {
		pool, format, shared string
		hosts                []ingot.ComputeHost
		want                 string
	}{
		{hosts: one("a", first, second), want: "1 host considered: 1 lacks DISK_GB (asked 101, free 100)"},
		{pool: "default", hosts: one("a", first, second), want: "1 host considered: 1 lacks DISK_GB (asked 101, free 100)"},
		{pool: "fast", hosts: one("a", first, second), want: "1 host considered: 1 suitable"},
		{pool: "fast", hosts: one("a", second, first), want: "1 host considered: 1 lacks DISK_GB (asked 101, free 100)"},
		{pool: "fast", hosts: one("a", first), want: "1 host considered: 1 no pool fast (it has default, no other)"},
		{pool: "fast", format: "raw", hosts: one("a", first, second), want: "1 host considered: 1 suitable"},
		{pool: "fast", format: "qcow2", hosts: one("a", first, second), want: "1 host considered: 1 no qcow2 disks (pool fast has raw)"},
		{pool: "fast", shared: "fast", hosts: one("a", first, second), want: "1 host considered: 1 suitable"},
		{shared: "fast", hosts: one("a", first, second), want: "1 host considered: 1 does not share pool fast"},
		{shared: "default", hosts: one("a", first, second), want: "1 host considered: 1 does not share pool default"},
	} {
		req := big
		req.Pool, req.DiskFormat, req.SharedPool = row.pool, row.format, row.shared
		if got := ingot.Place(row.hosts, req); got.String() != row.want {
			t.Errorf("%+v: got %s", row, got.String())
		}
	}
}
