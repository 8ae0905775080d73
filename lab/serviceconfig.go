package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// suffix tells the files and names of several processes apart; the first has none.
func (s *service) suffix() string {
	if s.number == 0 {
		return ""
	}
	return "-" + strconv.Itoa(s.number)
}

func (s *service) hostname() string   { return "lab" + s.suffix() }
func (s *service) role() string       { return "service" + s.suffix() }
func (s *service) configFile() string { return filepath.Join(s.rack.Dir, "ingot"+s.suffix()+".toml") }

// place is the process's interface on the rack's network, and its address there.
func (s *service) place() (string, netip.Addr) {
	address := s.rack.Subnet.Addr()
	for range s.number {
		address = address.Next()
	}
	if s.number == 0 {
		return bridgeName, address
	}
	return portName(s.number), address
}

// config is the service's configuration file.
func (s *service) config() string {
	var b strings.Builder
	set := func(key string, value any) { fmt.Fprintf(&b, "%s = %s\n", key, tomlText(value)) }
	first, last := s.rack.pool()
	name, address := s.place()
	set("data", filepath.Join(s.rack.Dir, "data"+s.suffix()))
	set("hostname", s.hostname())
	drivers := []string{"ipmi", "redfish"}
	if s.Guests {
		drivers = append(drivers, ingot.GuestDriver)
	}
	set("drivers", drivers)
	if s.Database != "" {
		b.WriteString("[database]\n")
		set("url", s.Database)
		set("key_file", s.Secret)
	}
	b.WriteString("[api]\n")
	set("listen", "fd:3")
	set("public_url", "http://"+s.listener.Addr().String())
	b.WriteString("[boot]\n")
	set("ramdisk", s.Ramdisk)
	fmt.Fprintf(&b, "port = %d\n", servicePort)
	if s.boot != nil {
		set("listen", "fd:4")
		set("url", "http://"+s.bootAddress())
	}
	b.WriteString("[images]\n")
	set("file_paths", s.Images)
	b.WriteString("[conductor]\n")
	set("kernel_append_params", "console=ttyS0")
	set("power_sync", "10s")
	b.WriteString("[[network]]\n")
	set("name", networkName)
	set("interface", name)
	set("subnet", s.rack.Subnet.Masked().String())
	set("address", address.String())
	set("pool_start", first.String())
	set("pool_end", last.String())
	set("dhcp", "full")
	b.WriteString(s.More)
	return b.String()
}

func (s *service) bootAddress() string {
	return netip.AddrPortFrom(s.rack.Subnet.Addr(), servicePort).String()
}

// tomlText is a text or a list of texts as TOML writes them; Go's quoting is a subset of its basic strings for the paths
// and addresses that occur here.
func tomlText(value any) string {
	list, ok := value.([]string)
	if !ok {
		return strconv.Quote(fmt.Sprint(value))
	}
	quoted := make([]string, 0, len(list))
	for _, text := range list {
		quoted = append(quoted, strconv.Quote(text))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// open opens the listeners and writes the configuration.
func (s *service) open() error {
	orText(&s.Listen, "127.0.0.1:6385")
	orText(&s.Secret, filepath.Join(s.rack.Dir, "data.key"))
	if s.Ramdisk == "" {
		return errors.New("cannot run the service without a ramdisk: name the folder of vmlinuz and initramfs.zst")
	}
	l, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("cannot open the API on %s: %w", s.Listen, err)
	}
	s.listener = l.(*net.TCPListener) // net.Listen("tcp") gives nothing else
	if s.handed, err = s.listener.File(); err != nil {
		return fmt.Errorf("cannot hand the API's listener over: %w", err)
	}
	if s.Beside > 0 {
		if err := inNamespace(namespaceName(s.rack.Name), s.openBoot); err != nil {
			return err
		}
	}
	return s.prepare()
}

// openBoot opens the boot listener's socket for all processes.
func (s *service) openBoot() error {
	l, err := net.Listen("tcp", s.bootAddress())
	if err != nil {
		return fmt.Errorf("cannot open the boot listener on %s: %w", s.bootAddress(), err)
	}
	defer l.Close()
	s.boot, err = l.(*net.TCPListener).File()
	return err
}

// prepare writes the configuration.
func (s *service) prepare() error {
	s.log, s.failed = filepath.Join(s.rack.Dir, s.role()+".log"), make(chan error, 1)
	if err := os.WriteFile(s.configFile(), []byte(s.config()), 0o600); err != nil {
		return fmt.Errorf("cannot configure the service: %w", err)
	}
	return nil
}

// beside gives another process of the service: it shares the first one's listeners.
func (s *service) beside(number int) *service {
	return &service{Service: s.Service, rack: s.rack, number: number, listener: s.listener, handed: s.handed, boot: s.boot}
}
