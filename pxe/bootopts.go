package pxe

import (
	"fmt"
	"net/netip"
	"net/url"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
)

// bootOptions adds what tells firmware or iPXE where to go on.
func bootOptions(req, resp *dhcpv4.DHCPv4, c client, f facts) {
	switch {
	case f.Spec.Action == ingot.BootLocalDisk:
		startFromDisk(resp, c, f)
	case f.Spec.Action != ingot.BootKernel:
	case c.Asker == askerPXE:
		loadOverTFTP(req, resp, f)
	case c.Asker == askerHTTP:
		loadOverHTTP(resp, f.Base, f.Loader)
	case c.Asker == askerIPXE:
		runScript(resp, c, f)
	}
}

// startFromDisk sends firmware on to its next boot device as fast as it can be had. Observed, from the first DISCOVER:
//   - iPXE without a boot file says "Nothing to boot" and returns: at once when it need not wait for a proxy DHCP server,
//     else after 3 s. A script that ends with exit takes half a second more.
//   - OVMF's PXE without a boot file asks four times and gives up after 64 s. A PXE boot menu of one item, "local boot"
//     (type 0), chosen without a prompt, ends it with "Remote boot cancelled" after the 4 s in which it always collects offers.
//     The menu is the PXE specification's own way (2.1, section 3), so BIOS ROMs should do the same: that is a guess.
//   - OVMF's HTTP boot without a URL takes 64 s too; a URL that answers 404 ends it after the same 4 s.
//
// Its IPv6 attempts take a minute each and nothing in IPv4 shortens them.
func startFromDisk(resp *dhcpv4.DHCPv4, c client, f facts) {
	switch c.Asker {
	case askerIPXE:
		noProxy(resp)
	case askerPXE:
		resp.UpdateOption(dhcpv4.OptClassIdentifier("PXEClient"))
		resp.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionVendorSpecificInformation, localBootMenu(f.Server)))
	case askerHTTP:
		loadOverHTTP(resp, f.Base, "local-disk")
	}
}

// localBootMenu is option 43 with a menu whose only item starts the next boot device (PXE specification 2.1, table 2-3).
func localBootMenu(server netip.Addr) []byte {
	ours := server.As4()
	const text = "local disk"
	b := []byte{6, 1, 3}                                       // discovery control: neither broadcast nor multicast
	b = append(b, 8, 7, 0, 0, 1)                               // boot servers of type 0: one,
	b = append(b, ours[:]...)                                  // us
	b = append(b, 9, 3+byte(len(text)), 0, 0, byte(len(text))) // menu: type 0
	b = append(b, text...)
	return append(b, 10, 2, 0, 'L', 255) // prompt: wait 0 s, take the first item
}

// loadOverTFTP names the loader in siaddr and file, where every ROM looks, and again in options 66 and 67 for
// firmware that asks for them. Option 60 "PXEClient" stays out: with it a ROM expects boot server discovery and asks
// port 4011.
func loadOverTFTP(req, resp *dhcpv4.DHCPv4, f facts) {
	if f.Loader == "" {
		return
	}
	resp.ServerIPAddr = f.Server.AsSlice()
	resp.BootFileName = f.Loader
	if req.IsOptionRequested(dhcpv4.OptionTFTPServerName) {
		resp.UpdateOption(dhcpv4.OptTFTPServerName(f.Server.String()))
	}
	if req.IsOptionRequested(dhcpv4.OptionBootfileName) {
		resp.UpdateOption(dhcpv4.OptBootFileName(f.Loader))
	}
}

// loadOverHTTP answers UEFI HTTP boot: without option 60 "HTTPClient" firmware drops the offer (UEFI specification
// section 24.7.3.1).
func loadOverHTTP(resp *dhcpv4.DHCPv4, base, loader string) {
	if loader == "" {
		return
	}
	resp.UpdateOption(dhcpv4.OptClassIdentifier("HTTPClient"))
	resp.UpdateOption(dhcpv4.OptBootFileName(base + LoaderPath + loader))
}

// runScript gives iPXE the script's URL.
func runScript(resp *dhcpv4.DHCPv4, c client, f facts) {
	resp.UpdateOption(dhcpv4.OptBootFileName(scriptURL(f.Base, c)))
	noProxy(resp)
}

// noProxy tells iPXE that no proxy DHCP server will answer (sub-option 176 of its option 175, no-pxedhcp). Observed:
// without it iPXE waits for one, and a boot takes 3 s more.
func noProxy(resp *dhcpv4.DHCPv4) {
	resp.UpdateOption(dhcpv4.OptGeneric(optionEtherboot, []byte{176, 1, 1}))
}

// scriptURL is where a client gets its script. The MAC is in it, so that the answer is for the port that asked, which
// iPXE's own ${net0/mac} need not be.
func scriptURL(base string, c client) string {
	u := fmt.Sprintf("%s%s?mac=%s&arch=%d", base, ScriptPath, c.MAC, c.Arch)
	if c.UUID != "" {
		u += "&uuid=" + url.QueryEscape(c.UUID)
	}
	return u
}
