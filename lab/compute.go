package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// Compute is the second half of a tour: the server that Ingot has imaged is enrolled as a compute host, and a guest is
// launched on it.
type Compute struct {
	Guest string // name of the guest's node; "" launches none
	Image string // the guest's, as the tour's
	Virt  string // what the host has to offer: kvm or qemu; "" is kvm
}

// hostUser is the login of the conductor on compute hosts.
const hostUser = "virt"

// guestMAC is beside QEMU's own addresses, which the machines have.
const guestMAC = "52:54:01:00:00:01"

func (t *Tour) computePhases() []phase {
	orText(&t.Compute.Virt, "kvm")
	phases := []phase{{"host", t.enrolHost}}
	if t.Compute.Guest == "" {
		return phases
	}
	return append(phases, phase{"guest", t.launch}, phase{"guest ssh", t.loginGuest})
}

// letIn is user data that makes the machine one that the service reaches over SSH: a login that may use libvirt, and host
// keys that are known before the machine is there, so that nobody has to trust the first answer. When its system has
// started it tells the service, which then need not find out.
func (t *Tour) letIn(ctx context.Context, key string) (string, error) {
	node, err := t.API.Node(ctx, t.Node)
	if err != nil {
		return "", err
	}
	file := t.hostKey()
	if err := makeKey(file); err != nil {
		return "", err
	}
	private, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("cannot read the host key: %w", err)
	}
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		return "", fmt.Errorf("cannot read the host key: %w", err)
	}
	return fmt.Sprintf(`#cloud-config
users:
- default
- {name: %s, groups: [libvirt], lock_passwd: true, shell: /bin/sh, ssh_authorized_keys: [%q]}
ssh_keys:
  ed25519_public: %q
  ed25519_private: |
    %s
phone_home: {url: "http://%s/v1/phone_home/%s", post: [instance_id], tries: 5}
`, hostUser, strings.TrimSpace(key), strings.TrimSpace(string(public)), strings.ReplaceAll(strings.TrimSpace(string(private)), "\n", "\n    "),
		netip.AddrPortFrom(t.Rack.Subnet.Addr(), servicePort), node.UUID), nil
}

func (t *Tour) hostKey() string { return filepath.Join(t.Rack.Dir, t.Node+".host_ed25519") }

// enrolHost makes the node a compute host and waits until it is up with the wanted kind of guests: before that, a canary
// has booted there.
func (t *Tour) enrolHost(ctx context.Context) error {
	record := t.Rack.record()
	address, err := record.Address(ctx, t.Node)
	if err != nil {
		return err
	}
	known, err := t.knownHosts(address)
	if err != nil {
		return err
	}
	host := t.API.Resource("nodes", t.Node, "hypervisor")
	err = host.Put(ctx, map[string]any{
		"type": "libvirt", "cpu": t.guestCPU(), "uri": fmt.Sprintf("qemu+ssh://%s@%s/system?keyfile=%s&known_hosts=%s", hostUser, address, record.Key, known),
		"pools":    []any{map[string]any{"name": "default", "resource": "DISK_GB", "formats": []any{"qcow2"}}},
		"networks": []any{map[string]any{"physical_network": networkName, "bridge": "br0"}},
	})
	if err != nil {
		return err
	}
	return until(ctx, time.Second, func() error {
		is, err := host.Document(ctx, nil)
		if err != nil {
			return err
		}
		t.View.State(fmt.Sprint(is["state"]))
		types, _ := is["virt_types"].([]any)
		if is["state"] != string(ingot.HypervisorUp) || len(types) == 0 || types[0] != t.Compute.Virt {
			return fmt.Errorf("the compute host is %v (%v) and offers %v", is["state"], is["state_reason"], types)
		}
		return nil
	})
}

// guestCPU is the processor that guests see. Under an emulated host they get a plain one: with all that the host's has,
// programs of a guest were seen to die of damaged state when they return from a signal (QEMU 7.2, XSAVE).
func (t *Tour) guestCPU() map[string]any {
	if t.Rack.Accel == KVM {
		return map[string]any{}
	}
	return map[string]any{"mode": "custom", "model": "qemu64", "disable": []any{"svm"}}
}

// knownHosts writes the one line that proves the compute host to the service.
func (t *Tour) knownHosts(address string) (string, error) {
	text, err := os.ReadFile(t.hostKey() + ".pub")
	if err != nil {
		return "", fmt.Errorf("cannot read the host key: %w", err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return "", fmt.Errorf("cannot read the host key: %w", err)
	}
	file := t.hostKey() + ".known"
	if err := os.WriteFile(file, fmt.Appendf(nil, "%s %s", address, ssh.MarshalAuthorizedKey(key)), 0o600); err != nil {
		return "", fmt.Errorf("cannot note the host key: %w", err)
	}
	return file, nil
}

// launch makes a guest on the compute host and deploys an image to it.
func (t *Tour) launch(ctx context.Context) error {
	host, err := t.API.Node(ctx, t.Node)
	if err != nil {
		return err
	}
	guest, err := t.API.CreateNode(ctx, map[string]any{
		"name": t.Compute.Guest, "driver": ingot.GuestDriver, "parent_node": host.UUID,
		"properties": map[string]any{"cpus": 1, "memory_mb": 512, "local_gb": 1, "cpu_arch": "x86_64"},
	})
	if err != nil {
		return err
	}
	if _, err := t.API.CreatePort(ctx, guest.UUID, guestMAC); err != nil {
		return err
	}
	of := &Tour{Rack: t.Rack, API: t.API, Node: t.Compute.Guest, Image: t.Compute.Image, View: t.View}
	for _, do := range []func(context.Context) error{
		of.verb(client.Provision{Target: ingot.VerbManage}, ingot.Manageable),
		of.verb(client.Provision{Target: ingot.VerbProvide}, ingot.Available),
		of.deploy,
	} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// loginGuest logs in to the guest and asks its processor what runs it.
func (t *Tour) loginGuest(ctx context.Context) error {
	said := ""
	err := until(ctx, time.Second, func() error {
		address, err := Lease(ctx, t.API, guestMAC)
		if err != nil {
			return err
		}
		said, err = t.Rack.ExecuteAt(ctx, address, "hostname; systemd-detect-virt")
		return err
	})
	if err != nil {
		return err
	}
	words := strings.Fields(said)
	switch {
	case len(words) != 2:
		return errors.New("the guest says " + said)
	case words[0] != t.Compute.Guest+"-toured":
		return fmt.Errorf("the guest's host name is %q, the config drive says %q", words[0], t.Compute.Guest+"-toured")
	case words[1] != t.Compute.Virt:
		return fmt.Errorf("the guest is run by %s, not by %s", words[1], t.Compute.Virt)
	}
	return nil
}
