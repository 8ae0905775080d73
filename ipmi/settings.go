package ipmi

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// Backends that driver_info's ipmi_backend (Ingot's own key) may name.
const (
	// BackendNative speaks IPMI in this process.
	BackendNative = "native"
	// BackendTool runs Debian's ipmitool for each exchange: 60 times slower, for firmware that only it can talk to.
	BackendTool = "ipmitool"
)

// settings are a node's driver_info, checked.
type settings struct {
	host      string // IP address without brackets, or a host name
	port      int
	username  string
	password  ingot.Secret
	level     types.PrivilegeLevel
	suite     types.CipherSuiteID // CipherSuiteIDReserved: find out
	backend   string
	keepTimer bool // leave the BMC's 60 s for boot flags as they are
}

// IPMI 2.0's limits (sections 22.28 and 22.30); longer ones would be cut off silently on the way.
const (
	maxUsername = 16
	maxPassword = 20
)

// notCarriedOut are keys that Ironic knows and that change how a BMC is spoken to: to ignore one would be to speak to
// another machine, or less safely, than was asked for.
var notCarriedOut = [...]string{
	"ipmi_hex_kg_key", "ipmi_local_address", "ipmi_transit_channel", "ipmi_transit_address", "ipmi_target_channel",
	"ipmi_target_address", "ipmi_terminal_port",
}

// knownKeys are the keys that this driver reads.
var knownKeys = [...]string{
	"ipmi_address", "ipmi_port", "ipmi_username", "ipmi_password", "ipmi_priv_level", "ipmi_cipher_suite", "ipmi_backend",
	"ipmi_protocol_version", "ipmi_force_boot_device", "ipmi_disable_boot_timeout", "ipmi_bridging",
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$`)

// parse checks driver_info. Every failure is Invalid and names the key.
func parse(info map[string]any, opt Options) (settings, error) {
	s := settings{backend: opt.Backend, keepTimer: opt.KeepBootTimeout}
	if err := refuseKeys(info); err != nil {
		return s, err
	}
	for _, read := range []func(map[string]any, *settings) error{readAddress, readLogin, readLevel, readSuite, readVersion, readBackend} {
		if err := read(info, &s); err != nil {
			return s, err
		}
	}
	if s.backend == BackendTool && s.level != types.PrivilegeLevelAdministrator {
		return s, ingot.Errorf(ingot.Invalid, "ipmi_priv_level is not carried out with ipmi_backend %q: leave it out or use %q", BackendTool, BackendNative)
	}
	return s, readTimer(info, &s)
}

// refuseKeys refuses what would be accepted and ignored.
func refuseKeys(info map[string]any) error {
	for key, v := range info {
		if v == nil || v == "" || !strings.HasPrefix(key, "ipmi_") || slices.Contains(knownKeys[:], key) {
			continue
		}
		if slices.Contains(notCarriedOut[:], key) {
			return ingot.Errorf(ingot.Invalid, "%s is not carried out by this driver: remove it from the node's driver_info", key)
		}
		return ingot.Errorf(ingot.Invalid, "%s is no key of the ipmi driver: remove it from the node's driver_info or mend its name", key)
	}
	if bridging := scalar(info, "ipmi_bridging"); bridging != "" && bridging != "no" {
		return ingot.Errorf(ingot.Invalid, "Invalid value for ipmi_bridging: %s, the valid value can be one of: ['no']", bridging)
	}
	force, err := boolean(info, "ipmi_force_boot_device", false)
	if err == nil && force {
		err = ingot.Errorf(ingot.Invalid, "ipmi_force_boot_device is not carried out by this driver: remove it from the node's driver_info")
	}
	return err
}

func readAddress(info map[string]any, s *settings) error {
	address := strings.TrimSpace(scalar(info, "ipmi_address"))
	if address == "" {
		return ingot.Errorf(ingot.Invalid, "Missing the following IPMI credentials in node's driver_info: ['ipmi_address'].")
	}
	s.host = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	if _, err := netip.ParseAddr(s.host); err != nil && !hostName.MatchString(s.host) {
		return ingot.Errorf(ingot.Invalid, "Invalid IPMI address %q in ipmi_address. Must be a valid IP address or hostname.", address)
	}
	s.port = 623 // RMCP's (IPMI 2.0 section 13.1.2)
	if port := strings.TrimSpace(scalar(info, "ipmi_port")); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return ingot.Errorf(ingot.Invalid, "ipmi_port %q is not a valid port: it must be a number from 1 to 65535", port)
		}
		s.port = n
	}
	return nil
}

func readLogin(info map[string]any, s *settings) error {
	s.username, s.password = scalar(info, "ipmi_username"), ingot.Secret(scalar(info, "ipmi_password"))
	if len(s.username) > maxUsername {
		return ingot.Errorf(ingot.Invalid, "ipmi_username is too long: IPMI allows at most %d bytes", maxUsername)
	}
	if len(s.password.Reveal()) > maxPassword {
		return ingot.Errorf(ingot.Invalid, "ipmi_password is too long: IPMI 2.0 allows at most %d bytes", maxPassword)
	}
	return nil
}

func readLevel(info map[string]any, s *settings) error {
	switch level := scalar(info, "ipmi_priv_level"); level {
	case "", "ADMINISTRATOR":
		s.level = types.PrivilegeLevelAdministrator
	case "OPERATOR":
		s.level = types.PrivilegeLevelOperator
	case "USER":
		s.level = types.PrivilegeLevelUser
	case "CALLBACK":
		s.level = types.PrivilegeLevelCallback
	default:
		return ingot.Errorf(ingot.Invalid, "Invalid privilege level value:%s in ipmi_priv_level, the valid value can be one of ADMINISTRATOR, CALLBACK, OPERATOR, USER", level)
	}
	return nil
}

func readSuite(info map[string]any, s *settings) error {
	s.suite = types.CipherSuiteIDReserved
	text := scalar(info, "ipmi_cipher_suite")
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return ingot.Errorf(ingot.Invalid, "Invalid cipher suite %s in ipmi_cipher_suite, expected a number", text)
	}
	// The others do without authentication, integrity or encryption, or use RC4 or MD5 for it.
	if n != int(types.CipherSuiteID(n)) || !slices.Contains(suites[:], types.CipherSuiteID(n)) {
		return ingot.Errorf(ingot.Invalid, "ipmi_cipher_suite %d is not carried out by this driver: use 17 or 3, or leave it out", n)
	}
	s.suite = types.CipherSuiteID(n)
	return nil
}

func readVersion(info map[string]any, _ *settings) error {
	// A JSON number 2.0 arrives as 2.
	if v := scalar(info, "ipmi_protocol_version"); v != "" && v != "2.0" && v != "2" {
		return ingot.Errorf(ingot.Invalid, "Invalid IPMI protocol version value %s in ipmi_protocol_version, the valid value can be one of 2.0", v)
	}
	return nil
}

func readBackend(info map[string]any, s *settings) error {
	if v := scalar(info, "ipmi_backend"); v != "" {
		s.backend = v
	}
	if s.backend == "" {
		s.backend = BackendNative
	}
	if s.backend != BackendNative && s.backend != BackendTool {
		return ingot.Errorf(ingot.Invalid, "ipmi_backend %q does not exist: use %q or %q", s.backend, BackendNative, BackendTool)
	}
	return nil
}

func readTimer(info map[string]any, s *settings) error {
	disable, err := boolean(info, "ipmi_disable_boot_timeout", !s.keepTimer)
	s.keepTimer = !disable
	return err
}
