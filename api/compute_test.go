package api_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// libvirt is a pretended layer that speaks to compute hosts, beside a conductor that has the driver of guests.
type libvirt struct {
	api.Drivers
	mu      sync.Mutex
	woken   []string
	removed []string
	fail    error
	deploy  string // the default deploy interface; "" is no-deploy
}

func (l *libvirt) CheckHypervisor(h *ingot.Hypervisor) error {
	if h.Type != "libvirt" {
		return ingot.Errorf(ingot.Invalid, "type can not be %s", h.Type)
	}
	return nil
}

func (l *libvirt) WakeHypervisor(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken = append(l.woken, host)
}

func (l *libvirt) Snapshots(context.Context, ingot.Node) ([]ingot.Snapshot, error) {
	return []ingot.Snapshot{{Name: "a", Power: ingot.PowerOn, Current: true, CreatedAt: time.Unix(0, 0)}}, nil
}

func (l *libvirt) RemoveGuest(_ context.Context, guest ingot.Node) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removed = append(l.removed, guest.UUID)
	return l.fail
}

func (l *libvirt) HardwareTypes(ctx context.Context) ([]ingot.HardwareType, error) {
	types, err := l.Drivers.HardwareTypes(ctx)
	guests := ingot.HardwareType{Name: "libvirt", Hosts: []string{"host1"}, Default: map[string]string{}, Enabled: map[string][]string{}}
	for _, kind := range ingot.InterfaceKinds() {
		guests.Default[kind], guests.Enabled[kind] = "no-"+kind, []string{"no-" + kind}
	}
	if l.deploy != "" {
		guests.Default["deploy"] = l.deploy
	}
	return append(types, guests), err
}

// computing is a service with compute hosts.
func computing(t testing.TB, change ...func(*api.API)) (*service, *libvirt) {
	t.Helper()
	return computingOn(t, storetest.SQLite(t), change...)
}

func computingOn(t testing.TB, s *store.Store, change ...func(*api.API)) (*service, *libvirt) {
	t.Helper()
	l := &libvirt{}
	wire := func(a *api.API) {
		db, _ := a.Nodes.(*store.Store)
		l.Drivers = a.Drivers
		a.Compute, a.Hypervisors, a.Flavors, a.Guests, a.Drivers = l, db.Hypervisors(), db.Flavors(), db, l
	}
	return startOn(t, s, append([]func(*api.API){wire}, change...)...), l
}

const hostURI = "qemu+ssh://virt@10.0.0.11/system"

// host makes an active node a compute host that was probed.
func (s *service) host(t testing.TB, name string, totals ingot.Amounts) string {
	t.Helper()
	uuid := s.enrol(t, name)
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState, n.PowerState = ingot.Active, ingot.PowerOn })
	s.must(t, 202, "PUT", "/v1/nodes/"+uuid+"/hypervisor", map[string]any{
		"type": "libvirt", "uri": hostURI, "pools": []any{map[string]any{"name": "default", "formats": []string{"qcow2"}}},
		"networks": []any{map[string]any{"physical_network": "physnet1", "bridge": "br0", "vlan": true}},
	})
	s.probed(t, uuid, &ingot.HostFacts{Arch: "x86_64", HostUUID: "host of " + name, Totals: totals, UEFI: true}, "")
	return uuid
}

// probed is what a conductor does after a probe.
func (s *service) probed(t testing.TB, host string, facts *ingot.HostFacts, reason string) {
	t.Helper()
	_, err := s.Store.Hypervisors().Change(t.Context(), host, 0, func(h *ingot.Hypervisor) error {
		h.Observe(ingot.Observation{Host: host, Facts: facts, Reason: reason, URI: h.URI}, h.CreatedAt)
		return nil
	})
	require.NoError(t, err)
}

func room() ingot.Amounts {
	return ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 8192, ingot.DiskGB: 100}
}

func small() map[string]any {
	return map[string]any{
		"resource_class": "compute.small", "resources": map[string]any{"VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 20}, "arch": "x86_64",
		"boot_mode": "uefi", "provided_traits": []string{"CUSTOM_VIRTUAL"}, "fallback_for": []string{"baremetal.small"},
	}
}

// TestNoCompute: a service without libvirt knows none of it.
func TestNoCompute(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n")
	for _, path := range []string{"/v1/nodes/" + uuid + "/hypervisor", "/v1/flavors", "/v1/placements?resource_class=a"} {
		s.must(t, 404, "GET", path, nil)
	}
	require.Contains(t, s.must(t, 400, "POST", "/v1/nodes", map[string]any{"driver": "libvirt", "parent_node": uuid}).fault(), "libvirt")
}

func TestHypervisor(t *testing.T) {
	t.Parallel()
	s, l := computing(t)
	uuid := s.enrol(t, "host-a")
	path := "/v1/nodes/host-a/hypervisor"
	body := map[string]any{
		"type": "libvirt", "uri": hostURI, "allocation_ratio": map[string]any{"VCPU": 4.0, "MEMORY_MB": 1.5}, "reserved": map[string]any{"VCPU": 1},
		"pools":    []any{map[string]any{"name": "default", "resource": "DISK_GB", "formats": []string{"qcow2", "raw"}, "shared": false}},
		"networks": []any{map[string]any{"physical_network": "lab", "libvirt_network": "default"}},
		"cpu":      map[string]any{"mode": "host-model", "disable": []string{"svm"}}, "on_host_failure": "none", "autostart": true,
	}
	s.must(t, 404, "GET", path, nil)
	require.Equal(t, "Node "+uuid+" can not be made a compute host in state enroll: it has to be active; deploy or adopt it first.", s.must(t, 409, "PUT", path, body).fault())
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	a := s.must(t, 202, "PUT", path, body)
	require.Equal(t, s.URL+"/v1/nodes/"+uuid+"/hypervisor", a.Header.Get("Location"))
	require.Equal(t, []string{uuid}, l.woken)
	require.Equal(t, "connecting", a.body["state"])
	require.Equal(t, map[string]any{"VCPU": 4.0, "MEMORY_MB": 1.5, "DISK_GB": 1.0}, a.body["allocation_ratio"])
	require.Equal(t, map[string]any{}, a.body["inventory"], "nothing is known yet")
	require.EqualValues(t, 1, a.body["generation"])

	s.probed(t, uuid, nil, "connection refused")
	a = s.must(t, 200, "GET", path, nil)
	require.Equal(t, []any{"down", "connection refused", nil}, []any{a.body["state"], a.body["state_reason"], a.body["last_seen_at"]})
	s.probed(t, uuid, &ingot.HostFacts{
		LibvirtVersion: "9.0.0", Arch: "x86_64", VirtTypes: []string{"kvm", "qemu"}, HostUUID: "h", Totals: room(),
		Unmanaged: []ingot.UnmanagedDomain{{Name: "build-vm", Uses: ingot.Amounts{ingot.MemoryMB: 192}}},
	}, "")
	a = s.must(t, 200, "GET", path, nil)
	require.Equal(t, "up", a.body["state"])
	require.Equal(t, []any{"build-vm"}, a.body["unmanaged_domains"])
	inventory, _ := a.body["inventory"].(map[string]any)
	require.Equal(t, map[string]any{
		"total": 8192.0, "reserved": 192.0, "allocation_ratio": 1.5, "max_unit": 8192.0, "step_size": 1.0, "capacity": 12000.0, "used": 0.0, "free": 12000.0, "overcommitted": false,
	}, inventory["MEMORY_MB"])

	body["generation"], body["disabled"] = 1, true
	require.Equal(t, "disabled", s.must(t, 202, "PUT", path, body).body["state"])
	s.must(t, 409, "PUT", path, body) // the generation is 2 now
	body["generation"], body["disabled"], body["draining"] = 2, false, true
	require.Equal(t, "draining", s.must(t, 202, "PUT", path, body).body["state"])
	delete(body, "generation")
	body["on_host_failure"] = "restart"
	a = s.must(t, 202, "PUT", path, body)
	require.Equal(t, []any{"restart", nil, nil, nil}, []any{a.body["on_host_failure"], a.body["fence_state"], a.body["fence_reason"], a.body["down_since"]})
	for range 3 {
		s.probed(t, uuid, nil, "no route to host")
	}
	_, err := s.Store.Hypervisors().Change(t.Context(), uuid, 0, func(h *ingot.Hypervisor) error {
		h.Fence, h.FenceReason = ingot.Unfenced, "it has no BMC"
		return nil
	})
	require.NoError(t, err)
	a = s.must(t, 200, "GET", path, nil)
	require.Equal(t, []any{"down", "unfenced", "it has no BMC"}, []any{a.body["state"], a.body["fence_state"], a.body["fence_reason"]})
	require.NotNil(t, a.body["down_since"])
	body["draining"], body["uri"] = false, "qemu:///system"
	require.Equal(t, "connecting", s.must(t, 202, "PUT", path, body).body["state"], "another machine, perhaps")
	s.must(t, 204, "DELETE", path, nil)
	s.must(t, 404, "GET", path, nil)
}

// TestPhoneHome: a host that could not be reached is looked at when its system says that it has started. Nothing else comes
// of it, whatever is said and whoever says it.
func TestPhoneHome(t *testing.T) {
	t.Parallel()
	s, l := computing(t, func(a *api.API) { a.DevRamdisk = false })
	uuid, plain := s.host(t, "host-a", room()), s.enrol(t, "plain")
	s.must(t, 404, "POST", "/v1/phone_home/"+uuid, nil)
	s.Auth = deny{}
	side := httptest.NewServer(s.RamdiskHandler())
	defer side.Close()
	s.URL = side.URL
	said := `instance_id=i-1&hostname=evil&pub_key_ed25519=ssh-ed25519+AAAA`
	woken := len(l.woken)
	s.must(t, 202, "POST", "/v1/phone_home/"+uuid, said)
	require.Len(t, l.woken, woken, "it is up")
	s.probed(t, uuid, nil, "no route to host")
	s.must(t, 202, "POST", "/v1/phone_home/"+uuid, said)
	require.Equal(t, uuid, l.woken[woken])
	for _, who := range []string{plain, "host-a", "00000000-0000-0000-0000-000000000000", "%2e%2e"} {
		s.must(t, 404, "POST", "/v1/phone_home/"+who, said)
	}
	require.Len(t, l.woken, woken+1)
	h, err := s.Store.Hypervisors().Get(t.Context(), uuid)
	require.NoError(t, err)
	require.Equal(t, hostURI, h.URI)
}

func TestHypervisorRefusals(t *testing.T) {
	t.Parallel()
	s, _ := computing(t)
	uuid := s.host(t, "host-a", room())
	path := "/v1/nodes/" + uuid + "/hypervisor"
	good := func(key string, v any) map[string]any {
		return map[string]any{"type": "libvirt", "uri": hostURI, key: v}
	}
	for _, row := range []struct {
		body  any
		fault string
	}{
		{`[]`, "Expected an object in the request's body: []"},
		{map[string]any{"uri": "a"}, "Missing mandatory parameter: type"},
		{map[string]any{"type": "libvirt"}, "Missing mandatory parameter: uri"},
		{good("type", "xen"), "type can not be xen"},
		{good("colour", "red"), `Unexpected arguments: "colour"`},
		{good("pools", "red"), "pools can not be a string"},
		{good("autostart", 1), "autostart can not be a number"},
		{good("on_host_failure", "panic"), "on_host_failure can not be 'panic': it is one of none, restart, rebuild"},
		{good("generation", 0), "generation can not be 0: it is 1 or more"},
		{good("allocation_ratio", map[string]any{"GPU": 1}), "'GPU' is no resource of guests: they are DISK_GB, MEMORY_MB, VCPU"},
		{good("allocation_ratio", map[string]any{"VCPU": 0}), "Expected a number from 0.001 to 1000 for allocation_ratio of VCPU: 0"},
		{good("allocation_ratio", map[string]any{"VCPU": 1001}), "Expected a number from 0.001 to 1000 for allocation_ratio of VCPU: 1001"},
		{good("reserved", map[string]any{"VCPU": -1}), "Expected a whole number for reserved of VCPU: -1"},
		{good("reserved", map[string]any{"VCPU": 1.5}), "Expected a whole number for reserved of VCPU: 1.5"},
		{good("pools", []any{map[string]any{"name": ""}}), "pools has one without a name, or two with the name ''"},
		{good("pools", []any{map[string]any{"name": "a", "formats": []string{"qed"}}}), "pool a can not have the format 'qed': it is qcow2 or raw"},
		{good("pools", []any{map[string]any{"name": "a", "resource": "VCPU"}}), "pool a can not have the resource 'VCPU': it is DISK_GB"},
		{good("networks", []any{map[string]any{"physical_network": "a"}}), "network a has either a bridge or a libvirt_network"},
		{good("networks", []any{map[string]any{"bridge": "a"}}), "networks has one without a physical_network, or two with ''"},
	} {
		require.Equal(t, row.fault, s.must(t, 400, "PUT", path, row.body).fault())
	}
	s.must(t, 404, "PUT", "/v1/nodes/nobody/hypervisor", good("autostart", true))
}

func TestFlavors(t *testing.T) {
	t.Parallel()
	s, _ := computing(t)
	a := s.must(t, 201, "POST", "/v1/flavors", small())
	id, _ := a.body["uuid"].(string)
	require.Equal(t, map[string]any{"VCPU": 2.0, "MEMORY_MB": 4096.0, "DISK_GB": 20.0}, a.body["resources"])
	require.Equal(t, a.body, s.must(t, 200, "GET", "/v1/flavors/compute.small", nil).body)
	a = s.must(t, 200, "PATCH", "/v1/flavors/"+id, []any{
		map[string]any{"op": "replace", "path": "/resources/VCPU", "value": 3}, map[string]any{"op": "add", "path": "/inherit_traits/-", "value": "CUSTOM_A"},
	})
	require.Equal(t, map[string]any{"VCPU": 3.0, "MEMORY_MB": 4096.0, "DISK_GB": 20.0}, a.body["resources"])
	list, _ := s.must(t, 200, "GET", "/v1/flavors", nil).body["flavors"].([]any)
	require.Len(t, list, 1)
	bad := func(key string, v any) map[string]any {
		f := small()
		f["resource_class"] = "other"
		f[key] = v
		return f
	}
	for _, row := range []struct {
		status int
		body   any
		fault  string
	}{
		{409, small(), "A flavor of resource class compute.small already exists. It is flavor " + id + "."},
		{400, bad("resources", map[string]any{"VCPU": 1}), "resources has a number for each of DISK_GB, MEMORY_MB, VCPU"},
		{400, bad("resources", map[string]any{"VCPU": 0, "MEMORY_MB": 1, "DISK_GB": 1}), "Expected a whole number from 1 on for VCPU: 0"},
		{400, bad("resources", map[string]any{"VCPU": 1, "MEMORY_MB": 1, "DISK_GB": 0}), "Expected a whole number from 1 on for DISK_GB: 0"},
		{400, bad("resources", map[string]any{"GPU": 1}), "'GPU' is no resource of guests: they are DISK_GB, MEMORY_MB, VCPU"},
		{400, bad("arch", "vax"), "arch can not be 'vax': it is one of x86_64, aarch64"},
		{400, bad("boot_mode", "coreboot"), "boot_mode can not be 'coreboot': it is one of bios, uefi"},
		{400, bad("resource_class", id), "'" + id + "' can not be the resource class of a flavor"},
		{400, bad("provided_traits", []string{"nope"}), "Schema error for flavor: 'nope' is not valid under any of the given schemas"},
	} {
		require.Equal(t, row.fault, s.must(t, row.status, "POST", "/v1/flavors", row.body).fault())
	}
	s.must(t, 400, "PATCH", "/v1/flavors/"+id, []any{map[string]any{"op": "remove", "path": "/resources/VCPU"}})
	s.must(t, 204, "DELETE", "/v1/flavors/compute.small", nil)
	s.must(t, 404, "GET", "/v1/flavors/"+id, nil)
}

func TestPlacements(t *testing.T) {
	t.Parallel()
	s, _ := computing(t)
	s.must(t, 201, "POST", "/v1/flavors", small())
	good := s.host(t, "good", room())
	s.host(t, "full", ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 1024, ingot.DiskGB: 100})
	dead := s.host(t, "dead", room())
	for range 3 {
		s.probed(t, dead, nil, "no route to host")
	}
	a := s.must(t, 200, "GET", "/v1/placements?resource_class=baremetal.small&traits=CUSTOM_VIRTUAL", nil)
	require.Equal(t, "compute.small", a.body["flavor"])
	candidates, _ := a.body["candidates"].([]any)
	require.Len(t, candidates, 1)
	require.Equal(t, good, candidates[0].(map[string]any)["node_uuid"])
	require.Nil(t, candidates[0].(map[string]any)["virt_type"])
	require.Equal(t, "3 hosts considered: 1 suitable, 1 lacks MEMORY_MB (asked 4096, free 1024), 1 down (no route to host)", a.body["summary"])
	a = s.must(t, 200, "GET", "/v1/placements?resource_class=compute.small&candidate_nodes=full,dead", nil)
	require.Empty(t, a.body["candidates"])
	require.Len(t, a.body["rejected"], 3)
	require.Equal(t, "There is no flavor of resource class huge; the flavors are: compute.small.", s.must(t, 400, "GET", "/v1/placements?resource_class=huge", nil).fault())
	s.must(t, 400, "GET", "/v1/placements", nil)
	s.must(t, 400, "GET", "/v1/placements?resource_class=compute.small&candidate_nodes=nobody", nil)
	s.must(t, 400, "GET", "/v1/placements?resource_class=compute.small&traits=nope", nil)
	require.Equal(t, "image_checksum can not be 'latest': it is a SHA-256 or SHA-512 in hex", s.must(t, 400, "GET", "/v1/placements?resource_class=compute.small&image_checksum=latest", nil).fault())
	weight := func(path string) float64 {
		found, _ := s.must(t, 200, "GET", path, nil).body["candidates"].([]any)
		w, _ := found[0].(map[string]any)["weight"].(float64)
		return w
	}
	sum := strings.Repeat("0a", 32)
	s.probed(t, good, &ingot.HostFacts{Arch: "x86_64", HostUUID: "host of good", Totals: room(), UEFI: true, CachedImages: []string{sum}}, "")
	const small = "/v1/placements?resource_class=compute.small"
	emulated := weight(small)
	s.probed(t, good, &ingot.HostFacts{Arch: "x86_64", HostUUID: "host of good", Totals: room(), UEFI: true, CachedImages: []string{sum}, VirtTypes: []string{"kvm", "qemu"}}, "")
	require.InDelta(t, emulated+3, weight(small), 0.001)
	found, _ := s.must(t, 200, "GET", small, nil).body["candidates"].([]any)
	require.Equal(t, "kvm", found[0].(map[string]any)["virt_type"])
	require.InDelta(t, weight(small)+0.5, weight(small+"&image_checksum="+strings.ToUpper(sum)), 0.001)
}

// TestComputeRules: whose a compute host is, and who may do what to flavors.
func TestComputeRules(t *testing.T) {
	t.Parallel()
	s, _ := computing(t, func(a *api.API) { a.Auth = personas{} })
	admin := as("admin@system")
	s.must(t, 201, "POST", "/v1/nodes", `{"driver": "fake-hardware", "name": "owned", "owner": "p1"}`, admin)
	uuid, _ := s.must(t, 200, "GET", "/v1/nodes/owned", nil, admin).body["uuid"].(string)
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	body := map[string]any{"type": "libvirt", "uri": hostURI}
	s.must(t, 403, "PUT", "/v1/nodes/owned/hypervisor", body, as("admin@p1"))
	s.must(t, 404, "PUT", "/v1/nodes/owned/hypervisor", body, as("admin@p2"))
	s.must(t, 403, "PUT", "/v1/nodes/owned/hypervisor", body, as("member@system"))
	s.must(t, 202, "PUT", "/v1/nodes/owned/hypervisor", body, admin)
	s.must(t, 200, "GET", "/v1/nodes/owned/hypervisor", nil, as("reader@p1"))
	s.must(t, 200, "GET", "/v1/nodes/owned/hypervisor/usage", nil, as("reader@system"))
	s.must(t, 404, "GET", "/v1/nodes/owned/hypervisor", nil, as("reader@p2"))
	s.must(t, 403, "DELETE", "/v1/nodes/owned/hypervisor", nil, as("admin@p1"))
	s.must(t, 403, "POST", "/v1/flavors", small(), as("admin@p1"))
	s.must(t, 201, "POST", "/v1/flavors", small(), admin)
	s.must(t, 200, "GET", "/v1/flavors/compute.small", nil, as("reader@p1"))
	s.must(t, 403, "GET", "/v1/placements?resource_class=compute.small", nil, as("admin@p1"))
	s.must(t, 200, "GET", "/v1/placements?resource_class=compute.small", nil, as("reader@system"))
}

// TestPlacementsOfImages: where guests begin as images, a host whose pool has no such disks is none for an allocation, and the
// dry run says so.
func TestPlacementsOfImages(t *testing.T) {
	t.Parallel()
	s, l := computing(t)
	s.must(t, 201, "POST", "/v1/flavors", small())
	s.host(t, "host-a", room())
	s.must(t, 202, "PUT", "/v1/nodes/host-a/hypervisor", map[string]any{"type": "libvirt", "uri": hostURI, "pools": []any{map[string]any{"name": "lvm", "formats": []string{"raw"}}}})
	says := func() any {
		return s.must(t, 200, "GET", "/v1/placements?resource_class=compute.small", nil).body["summary"]
	}
	require.Equal(t, "1 host considered: 1 suitable", says())
	l.deploy = "libvirt-image"
	require.Equal(t, "1 host considered: 1 no qcow2 disks (pool lvm has raw)", says())
}
