//go:build cgo && libvirt_dlopen

package clients_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/serve"
)

// hosted are the commands of scripts about guests on a libvirtd: what is said is held against what is there.
type hosted struct {
	t      *testing.T
	daemon *libvirttest.Daemon
	iso    string // its URL, as the host reads it
}

// TestGuestByBaremetal runs scripts of Debian's `baremetal` over guests of a real libvirtd, with emulated processors.
func TestGuestByBaremetal(t *testing.T) {
	h := &hosted{t: t, daemon: libvirttest.Start(t)}
	h.serveISO()
	c := startClient(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/guests", RequireUniqueNames: true, Setup: h.setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"baremetal": c.run, "until": c.until,
			"failed": func(ts *testscript.TestScript, _ bool, args []string) { c.failed(ts, args[0], args[1]) },
			"domain": h.domain, "says": h.says, "live": h.live, "vanish": h.vanish, "files": h.files,
			"service": h.service, "snapshots": h.snapshots, "disk": h.disk,
		},
	})
}

// failed is "failed NODE TEXT": it waits until the node's last error has the text.
func (c *commandLine) failed(ts *testscript.TestScript, node, text string) {
	wait(ts, func() (string, bool) {
		s, err := c.ask(ts.Getenv("ENDPOINT"), "node", "show", node, "-f", "value", "--fields", "last_error")
		ts.Check(err)
		return s.Out + s.Err, strings.Contains(s.Out, text)
	})
}

// wait looks until it is so; what was seen last is for the complaint.
func wait(ts *testscript.TestScript, so func() (seen string, ok bool)) {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		seen, ok := so()
		if ok {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("it never came to be so: %s", seen)
		}
	}
}

// serveISO makes an ISO image of which a BIOS boots what says hello, and serves it beside the machines.
func (h *hosted) serveISO() {
	dir := h.t.TempDir()
	text := bytes.Replace(libvirttest.Hello(), []byte("hello from the image"), []byte("hello from the cdrom"), 1)
	require.NoError(h.t, os.MkdirAll(filepath.Join(dir, "in"), 0o755))
	require.NoError(h.t, os.WriteFile(filepath.Join(dir, "in", "boot.img"), text[:2048], 0o600))
	out, err := exec.CommandContext(h.t.Context(), "xorriso", "-as", "mkisofs", "-quiet", "-b", "boot.img", "-no-emul-boot", "-boot-load-size", "4", "-o", filepath.Join(dir, "hello.iso"), filepath.Join(dir, "in")).CombinedOutput()
	require.NoError(h.t, err, string(out))
	listener := h.daemon.Listen(h.t, "127.0.0.1:0")
	server := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	h.t.Cleanup(func() { _ = server.Close(); <-done }) // the machines that read from it are gone or not
	h.iso = "http://" + listener.Addr().String() + "/hello.iso"
}

// setup runs a service for a script, with the host h and guests below it: g as it comes, u with UEFI, s with Secure Boot and
// t with a TPM.
func (h *hosted) setup(env *testscript.Env) error {
	tb, _ := env.T().(testing.TB)
	s := start(tb, func(cfg *serve.Config) { cfg.Drivers = []string{"fake-hardware", "libvirt"} })
	env.Setenv("ENDPOINT", s.URL)
	env.Setenv("ISO", h.iso)
	for name, disk := range map[string][]byte{"HELLO": libvirttest.Hello(), "POLITE": libvirttest.Polite()} {
		file := filepath.Join(s.Data, "images", name+".raw")
		require.NoError(tb, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(tb, os.WriteFile(file, disk, 0o600))
		env.Setenv(name, "file://"+file)
		env.Setenv(name+"_SUM", fmt.Sprintf("%x", sha256.Sum256(disk)))
	}
	s.must(tb, 201, "POST", "/v1/nodes", object{"name": "h", "driver": "fake-hardware"})
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}, {"active", "active"}} {
		s.must(tb, 202, "PUT", "/v1/nodes/h/states/provision", object{"target": verb[0]})
		require.Eventually(tb, func() bool { return s.must(tb, 200, "GET", "/v1/nodes/h", nil).body["provision_state"] == verb[1] }, patience, tick)
	}
	s.must(tb, 202, "PUT", "/v1/nodes/h/hypervisor", object{
		"type": "libvirt", "uri": h.daemon.URI(), "pools": []object{{"name": "default"}}, "networks": []object{{"physical_network": "lab", "bridge": "br0"}},
		"allocation_ratio": object{"VCPU": 16},
	})
	require.Eventually(tb, func() bool { return s.must(tb, 200, "GET", "/v1/nodes/h/hypervisor", nil).body["state"] == "up" }, patience, tick)
	host := s.must(tb, 200, "GET", "/v1/nodes/h", nil).body["uuid"]
	for i, name := range []string{"g", "u", "s", "t"} {
		properties := object{"cpus": 1, "memory_mb": 64, "local_gb": 1}
		if name != "g" {
			properties["memory_mb"] = 128
			properties["capabilities"] = map[string]string{"u": "boot_mode:uefi", "s": "boot_mode:uefi,secure_boot:true", "t": "boot_mode:uefi"}[name]
		}
		made := s.must(tb, 201, "POST", "/v1/nodes", object{
			"name": name, "driver": "libvirt", "parent_node": host, "properties": properties, "driver_info": object{"vtpm": name == "t"},
		})
		id, _ := made.body["uuid"].(string)
		env.Setenv("UUID_"+name, id)
		s.must(tb, 201, "POST", "/v1/ports", object{"node_uuid": id, "address": fmt.Sprintf("52:54:00:%02x:%02x:%02x", id[0], id[1], i)})
	}
	return nil
}

// with looks at a guest's domain; nil where there is none.
func (h *hosted) with(ts *testscript.TestScript, node string, look func(d *libvirt.Domain)) {
	conn, err := libvirt.NewConnect(h.daemon.URI())
	ts.Check(err)
	defer conn.Close() //nolint:errcheck // the test's own
	d, err := conn.LookupDomainByUUIDString(ts.Getenv("UUID_" + node))
	if err != nil {
		look(nil)
		return
	}
	defer d.Free() //nolint:errcheck // the test's own
	look(d)
}

// domain is "domain NODE STATE": it waits until libvirt says so of the guest's domain.
func (h *hosted) domain(ts *testscript.TestScript, _ bool, args []string) {
	states := map[libvirt.DomainState]string{libvirt.DOMAIN_RUNNING: "running", libvirt.DOMAIN_PAUSED: "paused", libvirt.DOMAIN_SHUTOFF: "off"}
	wait(ts, func() (seen string, ok bool) {
		h.with(ts, args[0], func(d *libvirt.Domain) {
			seen = "gone"
			if d != nil {
				state, _, err := d.GetState()
				ts.Check(err)
				seen = states[state]
			}
		})
		return seen, seen == args[1]
	})
}

// says is "says NODE N TEXT": it waits until the guest has said the text so often on its serial port.
func (h *hosted) says(ts *testscript.TestScript, _ bool, args []string) {
	times, err := strconv.Atoi(args[1])
	ts.Check(err)
	wait(ts, func() (string, bool) {
		said, _ := os.ReadFile(filepath.Join(h.daemon.Dir, "pool", ts.Getenv("UUID_"+args[0])+".console.log"))
		return string(said), strings.Count(string(said), args[2]) >= times
	})
}

// live is "live NODE PATTERN": the domain that runs has it.
func (h *hosted) live(ts *testscript.TestScript, _ bool, args []string) {
	h.with(ts, args[0], func(d *libvirt.Domain) {
		if d == nil {
			ts.Fatalf("there is no domain")
		}
		text, err := d.GetXMLDesc(0)
		ts.Check(err)
		if !regexp.MustCompile(args[1]).MatchString(text) {
			ts.Fatalf("no %s in %s", args[1], text)
		}
	})
}

// vanish is "vanish NODE": somebody does away with its domain.
func (h *hosted) vanish(ts *testscript.TestScript, _ bool, args []string) {
	h.with(ts, args[0], func(d *libvirt.Domain) {
		_ = d.Destroy() // it may be off
		ts.Check(d.UndefineFlags(libvirt.DOMAIN_UNDEFINE_NVRAM))
	})
}

// files is "files NODE N": the pool has so many volumes of the guest's.
func (h *hosted) files(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(filepath.Join(h.daemon.Dir, "pool", ts.Getenv("UUID_"+args[0])+".*"))
	ts.Check(err)
	if strconv.Itoa(len(found)) != args[1] {
		ts.Fatalf("there are %v", found)
	}
}

// service is "service NODE STATE STEP ARGUMENTS": it has the guest serviced by a step of its management interface, and
// waits until that leads to the state.
func (h *hosted) service(ts *testscript.TestScript, _ bool, args []string) {
	s := service{URL: ts.Getenv("ENDPOINT")}
	path := "/v1/nodes/" + args[0]
	steps := fmt.Sprintf(`{"target": "service", "service_steps": [{"interface": "management", "step": %q, "args": %s}]}`, args[2], args[3])
	if a := s.call(h.t, "PUT", path+"/states/provision", "1.115", steps); a.StatusCode != http.StatusAccepted {
		ts.Fatalf("%d: %s", a.StatusCode, a.text)
	}
	wait(ts, func() (string, bool) {
		a := s.call(h.t, "GET", path, "1.115", nil)
		return a.text, a.body["provision_state"] == args[1]
	})
}

// snapshots is "snapshots NODE NAME...": those are there, and libvirt has as many.
func (h *hosted) snapshots(ts *testscript.TestScript, _ bool, args []string) {
	s := service{URL: ts.Getenv("ENDPOINT")}
	a := s.call(h.t, "GET", "/v1/nodes/"+args[0]+"/snapshots", "1.115", nil)
	list, _ := a.body["snapshots"].([]any)
	var names []string
	for _, item := range list {
		snapshot, _ := item.(object)
		names = append(names, fmt.Sprint(snapshot["name"]))
	}
	if !slices.Equal(names, args[1:]) {
		ts.Fatalf("%s", a.text)
	}
	h.with(ts, args[0], func(d *libvirt.Domain) {
		n, err := d.SnapshotNum(0)
		ts.Check(err)
		if n != len(names) {
			ts.Fatalf("libvirt has %d", n)
		}
	})
}

// disk is "disk NODE GIB": so big is the disk that the guest sees.
func (h *hosted) disk(ts *testscript.TestScript, _ bool, args []string) {
	h.with(ts, args[0], func(d *libvirt.Domain) {
		info, err := d.GetBlockInfo("vda", 0)
		ts.Check(err)
		if want, _ := strconv.Atoi(args[1]); info.Capacity != uint64(want)<<30 {
			ts.Fatalf("it has %d bytes", info.Capacity)
		}
	})
}
