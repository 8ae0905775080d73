package pxe

import (
	"fmt"
	"net/url"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
)

// bootOptions adds what tells firmware or iPXE where to go on.
func bootOptions(req, resp *dhcpv4.DHCPv4, c client, f facts) {
	if f.Spec.Action != ingot.BootKernel {
		return
	}
	switch c.Asker {
	case askerPXE:
		loadOverTFTP(req, resp, f)
	case askerHTTP:
		loadOverHTTP(resp, f)
	case askerIPXE:
		runScript(resp, c, f)
	}
}

// loadOverTFTP names the loader in siaddr and file, where every ROM looks, and again in options 66 and 67 for
// firmware that asks for them. Observed: OVMF takes option 67 before the field. Option 60 "PXEClient" stays out: with
// it a ROM expects boot server discovery and asks port 4011.
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
func loadOverHTTP(resp *dhcpv4.DHCPv4, f facts) {
	if f.Loader == "" {
		return
	}
	resp.UpdateOption(dhcpv4.OptClassIdentifier("HTTPClient"))
	resp.UpdateOption(dhcpv4.OptBootFileName(f.Base + LoaderPath + f.Loader))
}

// runScript gives iPXE the script's URL. Sub-option 176 of option 175 (iPXE: no-pxedhcp) says that no proxy DHCP
// server will answer; without it iPXE waits 2 s for one before it takes the offer.
func runScript(resp *dhcpv4.DHCPv4, c client, f facts) {
	resp.UpdateOption(dhcpv4.OptBootFileName(scriptURL(f.Base, c)))
	resp.UpdateOption(dhcpv4.OptGeneric(optionEtherboot, []byte{176, 1, 1}))
}

// scriptURL is where a client gets its script. The MAC is in it, so that the answer is for the port that asked, which
// iPXE's own ${net0/mac} need not be; colons become dashes, as they need no escaping.
func scriptURL(base string, c client) string {
	u := fmt.Sprintf("%s%s?mac=%s&arch=%d", base, ScriptPath, c.MAC, c.Arch)
	if c.UUID != "" {
		u += "&uuid=" + url.QueryEscape(c.UUID)
	}
	return u
}
