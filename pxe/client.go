package pxe

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
)

// asker is the sort of program that sends a DHCP request.
type asker string

const (
	askerOS   asker = "os"   // an operating system, or the ramdisk: wants an address only
	askerPXE  asker = "pxe"  // firmware that loads over TFTP (option 60 "PXEClient")
	askerHTTP asker = "http" // UEFI HTTP boot (option 60 "HTTPClient")
	askerIPXE asker = "ipxe" // iPXE, whether from a ROM or loaded by us
)

// client is what a request tells of who sends it.
type client struct {
	MAC   string
	HW    net.HardwareAddr
	Asker asker
	Arch  ingot.Arch
	UUID  string
}

// optionEtherboot is iPXE's own encapsulated option (its src/include/ipxe/dhcp.h: DHCP_EB_ENCAP).
const optionEtherboot = dhcpv4.GenericOptionCode(175)

// clientOf reads a request. False means that it is nothing that Ingot answers: not Ethernet, or no machine's address.
func clientOf(req *dhcpv4.DHCPv4) (client, bool) {
	hw := req.ClientHWAddr
	if req.HWType != 1 || len(hw) != 6 || hw[0]&1 != 0 || slices.Equal(hw, make(net.HardwareAddr, 6)) {
		return client{}, false
	}
	c := client{MAC: hw.String(), HW: hw, Asker: askerOS, UUID: machineUUID(req.Options.Get(dhcpv4.OptionClientMachineIdentifier))}
	class := req.ClassIdentifier()
	switch {
	case isIPXE(req):
		c.Asker = askerIPXE
	case strings.HasPrefix(class, "PXEClient"):
		c.Asker = askerPXE
	case strings.HasPrefix(class, "HTTPClient"):
		c.Asker = askerHTTP
	}
	c.Arch = archOf(req.Options.Get(dhcpv4.OptionClientSystemArchitectureType), class)
	return c, true
}

// isIPXE knows iPXE by its user class or its own option. Observed: every iPXE build sends option 77 as the bare text
// "iPXE", without the length bytes of RFC 3004; some chainloaders and DHCP relays write it the RFC's way. It
// also sends option 175 with its features, which tells it apart when a script changed the user class.
func isIPXE(req *dhcpv4.DHCPv4) bool {
	class := req.Options.Get(dhcpv4.OptionUserClassInformation)
	if string(class) == "iPXE" || req.Options.Has(optionEtherboot) {
		return true
	}
	for len(class) > 0 {
		n := int(class[0])
		if n == 0 || n >= len(class) {
			return false
		}
		if string(class[1:1+n]) == "iPXE" {
			return true
		}
		class = class[1+n:]
	}
	return false
}

// archOf is the first architecture of option 93, or the one in the vendor class ("PXEClient:Arch:00007:UNDI:003000"),
// or BIOS, which is what the oldest ROMs mean by saying nothing.
func archOf(option []byte, class string) ingot.Arch {
	if len(option) >= 2 {
		return ingot.Arch(binary.BigEndian.Uint16(option))
	}
	if _, rest, ok := strings.Cut(class, ":Arch:"); ok {
		digits, _, _ := strings.Cut(rest, ":")
		if n, err := strconv.ParseUint(digits, 10, 16); err == nil {
			return ingot.Arch(n)
		}
	}
	return ingot.ArchBIOS
}

// machineUUID is option 97 (RFC 4578 section 2.3) as text: type 0 and 16 bytes. Observed on SeaBIOS, OVMF and iPXE:
// the first three fields are little-endian, as SMBIOS stores them (44 45 4c 4c 51 00 10 35 … is 4c4c4544-0051-3510-…).
// Firmware without an identity sends all zeros or all ones: "".
func machineUUID(option []byte) string {
	if len(option) != 17 || option[0] != 0 {
		return ""
	}
	var id uuid.UUID
	copy(id[:], option[1:])
	if id == uuid.Nil || id == uuid.Max {
		return ""
	}
	slices.Reverse(id[0:4])
	slices.Reverse(id[4:6])
	slices.Reverse(id[6:8])
	return id.String()
}

// addr is an IPv4 address of the library's kind; invalid when it is none or 0.0.0.0.
func addr(ip net.IP) netip.Addr {
	a, ok := netip.AddrFromSlice(ip.To4())
	if !ok || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}
