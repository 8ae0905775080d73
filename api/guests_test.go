package api_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

func guest(host, name string) map[string]any {
	return map[string]any{"driver": "libvirt", "parent_node": host, "name": name, "resource_class": "compute.small"}
}

func TestGuests(t *testing.T) {
	t.Parallel()
	s, l := computing(t)
	s.must(t, 201, "POST", "/v1/flavors", small())
	host := s.host(t, "host-a", room())
	a := s.must(t, 201, "POST", "/v1/nodes", guest("host-a", "vm-1"))
	vm, _ := a.body["uuid"].(string)
	require.Equal(t, []any{"enroll", nil, host, "compute.small"}, []any{a.body["provision_state"], a.body["power_state"], a.body["parent_node"], a.body["resource_class"]})
	require.Equal(t, map[string]any{"cpus": 2.0, "memory_mb": 4096.0, "local_gb": 20.0, "cpu_arch": "x86_64", "capabilities": "boot_mode:uefi"}, a.body["properties"])
	require.Equal(t, []any{"CUSTOM_VIRTUAL"}, a.body["traits"])
	usage := s.must(t, 200, "GET", "/v1/nodes/host-a/hypervisor/usage", nil).body
	claims, _ := usage["claims"].([]any)
	require.Len(t, claims, 1)
	claim, _ := claims[0].(map[string]any)
	require.Equal(t, vm, claim["node_uuid"])
	require.Equal(t, map[string]any{"VCPU": 2.0, "MEMORY_MB": 4096.0, "DISK_GB": 20.0}, claim["resources"])
	list, _ := s.must(t, 200, "GET", "/v1/nodes", nil).body["nodes"].([]any)
	require.Len(t, list, 1, "guests are hidden from lists, as children are")

	explicit := map[string]any{"driver": "libvirt", "parent_node": host, "name": "vm-2", "properties": map[string]any{"cpus": "1", "memory_mb": 8192, "local_gb": 1}}
	require.Equal(t, "compute host "+host+" lacks MEMORY_MB: asked 8192, free 4096 (capacity 8192, used 4096)", s.must(t, 409, "POST", "/v1/nodes", explicit).fault())
	s.must(t, 404, "GET", "/v1/nodes/vm-2", nil)
	explicit["properties"] = map[string]any{"cpus": "1", "memory_mb": 512, "local_gb": 0}
	require.Contains(t, s.must(t, 400, "POST", "/v1/nodes", explicit).fault(), "a guest needs local_gb in its properties, or a resource_class that is a flavor: a whole number from 1 on, not 0")
	explicit["properties"] = map[string]any{"cpus": "1", "memory_mb": 512, "local_gb": 1}
	s.must(t, 201, "POST", "/v1/nodes", explicit)

	body := map[string]any{"type": "libvirt", "uri": hostURI, "pools": []any{map[string]any{"name": "default"}, map[string]any{"name": "slow"}}}
	s.must(t, 202, "PUT", "/v1/nodes/host-a/hypervisor", body)
	explicit["name"], explicit["driver_info"] = "vm-3", map[string]any{"pool": "slow"}
	explicit["properties"] = map[string]any{"cpus": "1", "memory_mb": 512, "local_gb": 1000}
	s.must(t, 201, "POST", "/v1/nodes", explicit)
	inventory, _ := s.must(t, 200, "GET", "/v1/nodes/host-a/hypervisor", nil).body["inventory"].(map[string]any)
	require.Equal(t, 21.0, inventory["DISK_GB"].(map[string]any)["used"], "what is in another pool than the first is not of it")
	s.must(t, 204, "DELETE", "/v1/nodes/vm-3", nil)
	l.removed = nil

	s.must(t, 204, "DELETE", "/v1/nodes/vm-1", nil)
	require.Equal(t, []string{vm}, l.removed)
	claims, _ = s.must(t, 200, "GET", "/v1/nodes/host-a/hypervisor/usage", nil).body["claims"].([]any)
	require.Len(t, claims, 1)
	l.fail = ingot.Errorf(ingot.Unavailable, "compute host %s is down", host)
	s.must(t, 503, "DELETE", "/v1/nodes/vm-2", nil)
	s.must(t, 200, "GET", "/v1/nodes/vm-2", nil)
}

func TestGuestRefusals(t *testing.T) {
	t.Parallel()
	s, _ := computing(t)
	s.must(t, 201, "POST", "/v1/flavors", small())
	demanding := small()
	demanding["resource_class"], demanding["required_traits"] = "compute.ssd", []string{"CUSTOM_SSD"}
	s.must(t, 201, "POST", "/v1/flavors", demanding)
	host, plain := s.host(t, "host-a", room()), s.enrol(t, "plain")
	down := s.host(t, "host-b", room())
	for range 3 {
		s.probed(t, down, nil, "refused")
	}
	with := func(key string, v any) map[string]any {
		g := guest(host, "vm")
		g[key] = v
		return g
	}
	for _, row := range []struct {
		status int
		body   any
		fault  string
	}{
		{400, map[string]any{"driver": "libvirt"}, "A node with driver libvirt needs parent_node, its compute host; an allocation finds one."},
		{400, guest("nobody", "vm"), "Node nobody could not be found. The compute hosts are: host-a, host-b."},
		{400, guest("plain", "vm"), "Node " + plain + " is no compute host; the compute hosts are: host-a, host-b."},
		{409, guest("host-b", "vm"), "compute host " + down + " takes no guests now: it is down: refused"},
		{400, with("resource_class", "huge"), "There is no flavor of resource class huge; the flavors are: compute.small, compute.ssd."},
		{400, with("resource_class", nil), "a guest needs local_gb in its properties, or a resource_class that is a flavor: a whole number from 1 on, not <nil>"},
		{400, with("properties", map[string]any{"cpus": "many"}), "a guest needs cpus in its properties, or a resource_class that is a flavor: a whole number from 1 on, not many"},
		{400, with("properties", map[string]any{"cpu_arch": "aarch64"}), "compute host " + host + " does not suit the guest: not aarch64 (x86_64)"},
		{400, with("driver_info", map[string]any{"pool": "fast"}), "compute host " + host + " does not suit the guest: no pool fast (it has default, no other)"},
		{400, with("driver_info", map[string]any{"vtpm": true}), "compute host " + host + " does not suit the guest: no TPM for guests"},
		{400, with("properties", map[string]any{"capabilities": "boot_mode:uefi,secure_boot:true"}), "compute host " + host + " does not suit the guest: no firmware with Secure Boot"},
		{400, with("resource_class", "compute.ssd"), "compute host " + host + " does not suit the guest: no trait CUSTOM_SSD"},
		{400, with("driver_info", map[string]any{"dynamic": true}), "driver_info dynamic is for guests that allocations make"},
		{400, with("driver_info", map[string]any{"anti_affinity_group": 1}), "driver_info anti_affinity_group can not be 1: it is a name"},
		{400, with("owner", "p1"), "Unable to apply the requested parent_node '" + host + "'. Requested value was invalid."},
	} {
		require.Equal(t, row.fault, s.must(t, row.status, "POST", "/v1/nodes", row.body).fault())
	}
	s.set(t, host, func(n *ingot.Node) { n.Traits = []string{"CUSTOM_SSD"} })
	demanded := with("resource_class", "compute.ssd")
	demanded["driver_info"] = map[string]any{"anti_affinity_group": "web"}
	s.must(t, 201, "POST", "/v1/nodes", demanded)
	second := with("driver_info", map[string]any{"anti_affinity_group": "web"})
	second["name"] = "vm2"
	require.Equal(t, "compute host "+host+" has another guest of anti-affinity group web", s.must(t, 409, "POST", "/v1/nodes", second).fault())

	port := map[string]any{"node_ident": "vm", "address": "52:54:00:00:00:01", "physical_network": "storage"}
	says := "compute host " + host + " has no physical network 'storage'; its physical networks are: physnet1"
	require.Equal(t, says, s.must(t, 400, "POST", "/v1/ports", port).fault())
	delete(port, "physical_network")
	made, _ := s.must(t, 201, "POST", "/v1/ports", port).body["uuid"].(string)
	require.Equal(t, says, s.must(t, 400, "PATCH", "/v1/ports/"+made, []any{map[string]any{"op": "add", "path": "/physical_network", "value": "storage"}}).fault())
	s.must(t, 200, "PATCH", "/v1/ports/"+made, []any{map[string]any{"op": "add", "path": "/physical_network", "value": "physnet1"}})

	for path, v := range map[string]any{
		"/parent_node": plain, "/driver": "fake-hardware", "/properties/cpus": 9, "/driver_info/dynamic": true, "/driver_info/anti_affinity_group": "db",
	} {
		fault := s.must(t, 409, "PATCH", "/v1/nodes/vm", []any{map[string]any{"op": "add", "path": path, "value": v}}).fault()
		require.Contains(t, fault, "it is a guest, and has claimed that of its compute host.", path)
	}
	s.must(t, 200, "PATCH", "/v1/nodes/vm", []any{map[string]any{"op": "add", "path": "/properties/note", "value": []any{"a"}}})
	require.Contains(t, s.must(t, 409, "PATCH", "/v1/nodes/plain", []any{map[string]any{"op": "add", "path": "/driver", "value": "libvirt"}}).fault(), "can not be made a guest")
}

// TestGenerations: a family has two generations.
func TestGenerations(t *testing.T) {
	t.Parallel()
	s := start(t)
	parent, child, other := s.enrol(t, "parent"), s.enrol(t, "child"), s.enrol(t, "other")
	put := func(node, under string) []any {
		return []any{"/v1/nodes/" + node, []any{map[string]any{"op": "add", "path": "/parent_node", "value": under}}}
	}
	set := put("child", parent)
	s.must(t, 200, "PATCH", set[0].(string), set[1])
	set = put("other", child)
	require.Equal(t, "Node "+child+" can not be a parent: it is a child of node "+parent+".", s.must(t, 400, "PATCH", set[0].(string), set[1]).fault())
	set = put("parent", other)
	require.Equal(t, "Node "+parent+" can not be a child: it is the parent of node child ("+child+").", s.must(t, 400, "PATCH", set[0].(string), set[1]).fault())
	require.Equal(t, "Node "+parent+" is the parent of node child ("+child+"); delete them first.", s.must(t, 409, "DELETE", "/v1/nodes/parent", nil).fault())
	s.must(t, 204, "DELETE", "/v1/nodes/child", nil)
	s.must(t, 204, "DELETE", "/v1/nodes/parent", nil)
}

// TestHostsSpareGuests: nothing is taken away from under guests.
func TestHostsSpareGuests(t *testing.T) {
	t.Parallel()
	s, _ := computing(t)
	s.must(t, 201, "POST", "/v1/flavors", small())
	host := s.host(t, "host-a", room())
	vm, _ := s.must(t, 201, "POST", "/v1/nodes", guest(host, "vm")).body["uuid"].(string)
	s.must(t, 409, "DELETE", "/v1/nodes/host-a", nil)
	require.Equal(t, "Node "+host+" is the compute host of node vm ("+vm+"); delete or move them first.", s.must(t, 409, "DELETE", "/v1/nodes/host-a/hypervisor", nil).fault())
	off := func(node, target string, status int) string {
		return s.must(t, status, "PUT", "/v1/nodes/"+node+"/states/power", map[string]any{"target": target}).fault()
	}
	off("host-a", "power on", 202)
	s.set(t, vm, func(n *ingot.Node) { n.ProvisionState, n.PowerState = ingot.Active, ingot.PowerOn })
	for _, target := range []string{"power off", "soft power off", "rebooting", "soft rebooting"} {
		require.Equal(t, "The target '"+target+"' can not be performed on node "+host+" while it is the compute host of node vm ("+vm+").", off("host-a", target, 409))
	}
	s.set(t, host, func(n *ingot.Node) { n.Maintenance = true })
	s.set(t, vm, func(n *ingot.Node) { n.Protected = true })
	off("host-a", "power off", 409)
	s.set(t, vm, func(n *ingot.Node) { n.Protected = false })
	off("host-a", "power off", 202)
	require.Equal(t, "Node "+vm+" can not be started: its compute host "+host+" is powered off.", off("vm", "power on", 409))
	off("vm", "power off", 202)
	body := map[string]any{"type": "libvirt", "uri": hostURI, "autostart": true}
	for _, pools := range [][]any{nil, {map[string]any{"name": "other"}, map[string]any{"name": "default"}}, {map[string]any{"name": "default", "formats": []string{"raw"}}}} {
		body["pools"] = pools
		require.Equal(t, "The pools that have guests' disks (the first one, and those that guests name) can not be taken from node "+host+
			" or get other formats while it is the compute host of node vm ("+vm+").", s.must(t, 409, "PUT", "/v1/nodes/host-a/hypervisor", body).fault())
	}
	body["pools"] = []any{map[string]any{"name": "default"}, map[string]any{"name": "other"}}
	s.must(t, 202, "PUT", "/v1/nodes/host-a/hypervisor", body)
	off("vm", "power on", 202)
}

// TestGuestsRace: 64 ask at once for 10 places, on both databases; and 24 of one group, of which each of three hosts takes
// one.
func TestGuestsRace(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		s, _ := computingOn(t, storetest.Open(t, cfg))
		host := s.host(t, "host-a", ingot.Amounts{ingot.VCPU: 10, ingot.MemoryMB: 1 << 20, ingot.DiskGB: 1000})
		require.Equal(t, map[int]int{201: 10, 409: 54}, s.rush(t, 64, func(int) map[string]any { return map[string]any{"parent_node": host} }))
		var hosts []string
		for i := range 3 {
			hosts = append(hosts, s.host(t, fmt.Sprintf("apart-%d", i), ingot.Amounts{ingot.VCPU: 100, ingot.MemoryMB: 1 << 20, ingot.DiskGB: 1000}))
		}
		require.Equal(t, map[int]int{201: 3, 409: 21}, s.rush(t, 24, func(i int) map[string]any {
			return map[string]any{"parent_node": hosts[i%3], "driver_info": map[string]any{"anti_affinity_group": "db"}}
		}))
	})
}

// rush asks for n small guests at once, and counts the answers by their status.
func (s *service) rush(t *testing.T, n int, body func(i int) map[string]any) map[int]int {
	t.Helper()
	answers := make(chan int, n)
	for i := range n {
		go func() {
			guest := body(i)
			guest["driver"], guest["properties"] = "libvirt", map[string]any{"cpus": 1, "memory_mb": 64, "local_gb": 1}
			answers <- s.call(t, "POST", "/v1/nodes", guest).StatusCode
		}()
	}
	counts := map[int]int{}
	for range n {
		counts[<-answers]++
	}
	return counts
}

// TestGuestsOfUnknownHosts: who names no compute host is told which there are, of those that are the caller's to see.
func TestGuestsOfUnknownHosts(t *testing.T) {
	t.Parallel()
	s, _ := computing(t, func(a *api.API) { a.Auth = personas{} })
	admin, ask := as("admin@system"), guest("nobody", "vm")
	says := func(who, list string) {
		t.Helper()
		require.Equal(t, "Node nobody could not be found. The compute hosts are: "+list+".", s.must(t, 400, "POST", "/v1/nodes", ask, as(who)).fault())
	}
	says("admin@system", "none")
	for i := range 12 {
		name := fmt.Sprintf("h%02d", i)
		node := map[string]any{"driver": "fake-hardware", "name": name}
		if i == 3 {
			node["owner"] = "p1"
		}
		id, _ := s.must(t, 201, "POST", "/v1/nodes", node, admin).body["uuid"].(string)
		s.set(t, id, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
		s.must(t, 202, "PUT", "/v1/nodes/"+name+"/hypervisor", map[string]any{"type": "libvirt", "uri": hostURI}, admin)
	}
	says("admin@system", "h00, h01, h02, h03, h04, h05, h06, h07, h08, h09, 2 more")
	says("admin@p1", "h03")
	says("admin@p2", "none")
	metal := map[string]any{"driver": "fake-hardware", "parent_node": "nobody"}
	require.Equal(t, "Node nobody could not be found.", s.must(t, 400, "POST", "/v1/nodes", metal, admin).fault(), "as in Ironic")
}
