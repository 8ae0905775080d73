package redfish

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/stmcginnis/gofish/common"

	"github.com/ingot-metal/ingot"
)

// Explain gives a failure its code and its sentence (bmc.Provider).
func (s *service) Explain(what string, err error) error {
	var own *ingot.Error
	if errors.As(err, &own) {
		return own
	}
	if status := statusOf(err); status == http.StatusUnauthorized {
		return ingot.Errorf(ingot.Unauthorized, "cannot log in to BMC %s as %q: wrong user name or password (redfish_username, redfish_password): %s", s.set.endpoint, s.set.username, saying(err))
	} else if status != 0 {
		return ingot.Errorf(codeOf(status), "cannot %s: BMC %s said: %d %s", what, s.set.endpoint, status, saying(err))
	}
	if reason := untrusted(err); reason != "" {
		return ingot.Errorf(ingot.Invalid, "cannot trust BMC %s: %s: %w", s.set.endpoint, reason, err)
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) && lookup.IsNotFound {
		return ingot.Errorf(ingot.Invalid, "cannot reach BMC %s: its address does not resolve: %w", s.set.endpoint, lookup)
	}
	return ingot.Errorf(ingot.Unavailable, "cannot reach BMC %s: %w", s.set.endpoint, err)
}

// codeOf says what an HTTP status (DSP0266 section 7.5) means for the one who asked.
func codeOf(status int) ingot.Code {
	switch status {
	case http.StatusForbidden:
		return ingot.Forbidden
	case http.StatusNotFound, http.StatusGone:
		return ingot.NotFound
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return ingot.Unsupported
	}
	return ingot.Unavailable // busy, in the wrong state, changed meanwhile, broken: it may pass
}

// saying is what the service said, in one line of a bearable length.
func saying(err error) string {
	var refusal *common.Error
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	text := refusal.Message
	for _, more := range refusal.ExtendedInfos {
		if more.Message != "" && !strings.Contains(text, more.Message) {
			text += " " + more.Message
		}
	}
	const bearable = 500
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > bearable {
		text = strings.ToValidUTF8(text[:bearable], "") + "…"
	}
	return text
}

// untrusted says what is wrong with the service's TLS, and what to do; "" for other failures.
func untrusted(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &authority):
		return "its certificate is signed by nobody known: give its authority in redfish_verify_ca, or false"
	case errors.As(err, &name):
		return "its certificate is for another name: use that in redfish_address, or redfish_verify_ca false"
	case errors.As(err, &invalid):
		return "its certificate is not valid: renew it, or set redfish_verify_ca to false"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS: begin redfish_address with http://"
	case errors.As(err, &alert):
		return "it refuses the TLS handshake (redfish_tls_minimum_version)"
	}
	return ""
}
