package hypervisor

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// schemes are the transports that a compute host may be reached by, each with the parameters that it may have. libvirt
// knows more; those left out run programs on this machine (command, netcat) or let go of proofs (no_verify).
var schemes = map[string][]string{
	"qemu":      {"socket"},
	"qemu+unix": {"socket"},
	"qemu+ssh":  {"socket", "keyfile", "known_hosts", "no_tty"}, // see tunnel.go; nobody is ever asked for anything
	"qemu+tls":  {"pkipath"},
	"test":      nil,
}

// ParseURI refuses connection URIs that a compute host may not have, and gives the one to connect with.
func ParseURI(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", ingot.Errorf(ingot.Invalid, "cannot read the libvirt URI %q: %w", text, err)
	}
	allowed, known := schemes[u.Scheme]
	if !known {
		return "", ingot.Errorf(ingot.Invalid, "libvirt URI %q has scheme %q: use one of %s", text, u.Scheme, strings.Join(slices.Sorted(maps.Keys(schemes)), ", "))
	}
	if _, has := u.User.Password(); has {
		return "", ingot.Errorf(ingot.Invalid, "the libvirt URI has a password: keys and certificates open a compute host, never a password in a URI")
	}
	if err := checkPlace(u); err != nil {
		return "", err
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", ingot.Errorf(ingot.Invalid, "cannot read the parameters of the libvirt URI %q: %w", text, err)
	}
	for key := range query {
		if !slices.Contains(allowed, key) {
			return "", ingot.Errorf(ingot.Invalid, "libvirt URI %q has parameter %q: with %s use none but %q", text, key, u.Scheme, allowed)
		}
	}
	return u.String(), nil
}

// checkPlace holds host and path against the scheme.
func checkPlace(u *url.URL) error {
	remote := slices.Contains([]string{"qemu+ssh", "qemu+tls"}, u.Scheme)
	switch {
	case remote && u.Hostname() == "":
		return ingot.Errorf(ingot.Invalid, "libvirt URI %q names no host", u.Redacted())
	case remote && strings.HasPrefix(u.Hostname(), "-"), strings.HasPrefix(u.User.Username(), "-"):
		return ingot.Errorf(ingot.Invalid, "libvirt URI %q has a host or a user that ssh would take for an option", u.Redacted())
	case !remote && u.Host != "":
		return ingot.Errorf(ingot.Invalid, "libvirt URI %q names a host, which %s does not reach: use qemu+ssh or qemu+tls", u.Redacted(), u.Scheme)
	case u.Scheme == "test" && u.Path != "/default":
		return ingot.Errorf(ingot.Invalid, "libvirt URI %q: of the test driver there is only test:///default", u.Redacted())
	case u.Scheme != "test" && u.Path != "/system":
		return ingot.Errorf(ingot.Invalid, "libvirt URI %q: guests of a service are of /system, not of %q", u.Redacted(), u.Path)
	}
	return nil
}
