package lab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// What tests and the tour ask an open rack.

// place finds a node by name; "" is the first.
func (r *Rack) place(node string) (int, error) {
	for i, m := range r.machines {
		if m.spec.Name == node || node == "" {
			return i, nil
		}
	}
	return 0, fmt.Errorf("cannot find node %q in rack %s", node, r.Name)
}

// Spec is what a node is made of, with all defaults filled in.
func (r *Rack) Spec(node string) (NodeSpec, error) {
	i, err := r.place(node)
	if err != nil {
		return NodeSpec{}, err
	}
	return r.machines[i].spec, nil
}

// BMC is a node's BMC, for its faults; its addresses are inside the namespace.
func (r *Rack) BMC(node string) (*vbmc.Server, error) {
	i, err := r.place(node)
	if err != nil {
		return nil, err
	}
	return r.bmcs[i], nil
}

// Journal is what a node's BMC was told and did.
func (r *Rack) Journal(node string) (*vbmc.Log, error) {
	i, err := r.place(node)
	if err != nil {
		return nil, err
	}
	return r.journals[i], nil
}

// Disk is the raw file that a node's disk is.
func (r *Rack) Disk(node string) (string, error) {
	i, err := r.place(node)
	if err != nil {
		return "", err
	}
	return r.machines[i].files.disk, nil
}

// SerialLogs are the files with what a node said on its serial port, one for each boot, oldest first.
func (r *Rack) SerialLogs(node string) ([]string, error) {
	i, err := r.place(node)
	if err != nil {
		return nil, err
	}
	return r.machines[i].console.logs(), nil
}

// DriverInfo is what Ingot has to know of a node's BMC, for hardware type ipmi or redfish.
func (r *Rack) DriverInfo(node, driver string) (map[string]any, error) {
	i, err := r.place(node)
	if err != nil {
		return nil, err
	}
	switch driver {
	case "ipmi":
		at, err := netip.ParseAddrPort(r.bmcs[i].IPMIAddr())
		if err != nil {
			return nil, fmt.Errorf("cannot tell where the BMC of %s is: %w", node, err)
		}
		return map[string]any{"ipmi_address": at.Addr().String(), "ipmi_port": int(at.Port()), "ipmi_username": BMCUser, "ipmi_password": BMCPassword}, nil
	case "redfish":
		return map[string]any{"redfish_address": r.bmcs[i].RedfishURL(), "redfish_username": BMCUser, "redfish_password": BMCPassword}, nil
	}
	return nil, fmt.Errorf("cannot enrol %s with driver %q: its BMC speaks ipmi and redfish", node, driver)
}

// APIURL is where the service's API is, outside the namespace; "" without a service.
func (r *Rack) APIURL() string {
	if r.service == nil {
		return ""
	}
	return "http://" + r.service.listener.Addr().String()
}

// ServiceLog is the file with what the service says; "" without a service.
func (r *Rack) ServiceLog() string {
	if r.service == nil {
		return ""
	}
	return r.service.log
}

// KillService ends a process of the service at once, as SIGKILL does: the one of that host name, lab for the first. With no
// other, clients of the API wait until it is started again.
func (r *Rack) KillService(hostname string) error {
	s, err := r.process(hostname)
	if err == nil {
		s.kill()
	}
	return err
}

// StartService starts a process of the service again after KillService.
func (r *Rack) StartService(hostname string) error {
	s, err := r.process(hostname)
	if err != nil {
		return err
	}
	return s.start()
}

func (r *Rack) process(hostname string) (*service, error) {
	for _, s := range r.services {
		if s.hostname() == hostname {
			return s, nil
		}
	}
	return nil, fmt.Errorf("cannot find the process %q of the service in rack %s", hostname, r.Name)
}

// pool is the first and the last address that machines get.
func (r *Rack) pool() (first, last netip.Addr) {
	base := r.Subnet.Masked().Addr().As4()
	number := uint32(base[0])<<24 | uint32(base[1])<<16 | uint32(base[2])<<8 | uint32(base[3])
	size := uint32(1) << (32 - r.Subnet.Bits())
	at := func(n uint32) netip.Addr {
		return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	return at(number + size/2), at(number + size - 2)
}

func (r *Rack) keyFile() string { return filepath.Join(r.Dir, "id_ed25519") }

// PublicKey is the line for an instance's authorized_keys.
func (r *Rack) PublicKey() (string, error) {
	text, err := os.ReadFile(r.keyFile() + ".pub")
	if err != nil {
		return "", fmt.Errorf("cannot read the lab's key: %w", err)
	}
	return string(text), nil
}
