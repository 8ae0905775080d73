package serve

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot/conductor"
)

// checkAuth keeps an API without authentication, and one that would have passwords sent in the clear, on loopback.
func (c *Config) checkAuth() error {
	switch c.API.Auth {
	case "http_basic":
		if c.API.Users == "" {
			return errors.New("cannot start: api.auth is http_basic but api.users names no user file (ingot user add FILE USER makes one)")
		}
	case "none":
	default:
		return fmt.Errorf("cannot start: api.auth %q is not one of none, http_basic", c.API.Auth)
	}
	if strings.HasPrefix(c.API.Listen, "fd:") {
		return nil // whoever opened it chose the address
	}
	host, _, err := net.SplitHostPort(c.API.Listen)
	if err != nil {
		return fmt.Errorf("cannot start: api.listen %q is not HOST:PORT", c.API.Listen)
	}
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.IsLoopback() {
		return nil
	}
	switch {
	case c.API.Auth == "none":
		return fmt.Errorf("cannot start: the API would listen on %s without authentication: set api.auth = \"http_basic\" and api.users, or listen on 127.0.0.1", c.API.Listen)
	case !c.API.secure() && !c.API.Insecure:
		return fmt.Errorf("cannot start: passwords would cross the network to %s in the clear: set api.tls = \"self-signed\", or api.tls_cert and api.tls_key; "+
			"or api.insecure = true, where something in front of the API speaks TLS", c.API.Listen)
	}
	return nil
}

// checkTLS refuses half of a certificate.
func (c *Config) checkTLS() error {
	switch {
	case c.API.TLS != "" && c.API.TLS != selfSigned:
		return fmt.Errorf("cannot start: api.tls %q is not self-signed (a certificate of your own goes into api.tls_cert and api.tls_key)", c.API.TLS)
	case (c.API.TLSCert == "") != (c.API.TLSKey == ""):
		return errors.New("cannot start: api.tls_cert and api.tls_key go together")
	case c.API.TLS != "" && c.API.TLSCert != "":
		return errors.New("cannot start: api.tls is self-signed and api.tls_cert names a certificate: leave one out")
	}
	return nil
}

func (c *Config) checkLessee() error {
	sources := []string{conductor.LesseeOfInstance, conductor.LesseeOfRequest, conductor.LesseeNone}
	if c.Conduct.LesseeSource != "" && !slices.Contains(sources, c.Conduct.LesseeSource) {
		return fmt.Errorf("cannot start: conductor.automatic_lessee_source %q is not one of %s", c.Conduct.LesseeSource, strings.Join(sources, ", "))
	}
	return nil
}

func (c *Config) checkCleaning() error {
	sources := []string{conductor.CleanByAgent, conductor.CleanByRunbook, conductor.CleanByEither}
	if c.Conduct.CleanSource != "" && !slices.Contains(sources, c.Conduct.CleanSource) {
		return fmt.Errorf("cannot start: conductor.automated_cleaning_step_source %q is not one of %s", c.Conduct.CleanSource, strings.Join(sources, ", "))
	}
	return nil
}
