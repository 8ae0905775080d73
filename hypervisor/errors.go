//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// explain gives a failure of libvirt its code and its sentence, "cannot WHAT: compute host URI: CAUSE".
func explain(what, uri string, err error) error {
	sentence := fmt.Errorf("cannot %s: compute host %s: %w", what, uri, plain(err))
	if code := codeOf(err); code != "" {
		return &ingot.Error{Code: code, Err: sentence}
	}
	return sentence
}

// plain takes libvirt's own form of words away, and keeps the cause. What has a sentence of ours keeps that.
func plain(err error) error {
	if cause, ok := asLibvirt(err); ok && !isOurs(err) {
		return fault{cause}
	}
	return err
}

// fault is an error of libvirt that reads as a sentence.
type fault struct{ cause libvirt.Error }

func (f fault) Error() string { return f.cause.Message }
func (f fault) Unwrap() error { return f.cause }

// codeOf is "" for what passes, and for what has its code.
func codeOf(err error) ingot.Code {
	cause, ok := asLibvirt(err)
	if !ok || isOurs(err) {
		return ""
	}
	switch cause.Code {
	case libvirt.ERR_AUTH_FAILED, libvirt.ERR_AUTH_CANCELLED, libvirt.ERR_AUTH_UNAVAILABLE:
		return ingot.Unauthorized
	case libvirt.ERR_NO_DOMAIN, libvirt.ERR_NO_STORAGE_POOL, libvirt.ERR_NO_STORAGE_VOL, libvirt.ERR_NO_NETWORK:
		return ingot.NotFound
	case libvirt.ERR_NO_SUPPORT, libvirt.ERR_CONFIG_UNSUPPORTED, libvirt.ERR_OPERATION_UNSUPPORTED, libvirt.ERR_ARGUMENT_UNSUPPORTED:
		return ingot.Unsupported
	case libvirt.ERR_XML_ERROR, libvirt.ERR_XML_DETAIL, libvirt.ERR_XML_INVALID_SCHEMA:
		return ingot.Invalid
	}
	if strings.Contains(cause.Message, "has asynchronous jobs running") { // a pool into which something is copied
		return ingot.Unavailable
	}
	return ""
}

// tlsFailure says what people can do about certificates, of which libvirt says what its library has met.
func tlsFailure(uri string, err error) error {
	cause, ok := asLibvirt(err)
	switch {
	case !ok || !strings.HasPrefix(uri, "qemu+tls:"):
		return err
	case strings.Contains(cause.Message, "TLS confirmation"): // of the daemon, once it has looked at the certificate
		return ingot.Errorf(ingot.Unauthorized, "it does not accept this service's certificate, and says why in its own log (%w)", plain(err))
	case strings.Contains(cause.Message, "verify peer's certificate"):
		return ingot.Errorf(ingot.Unauthorized, "its certificate is not signed by the authority in cacert.pem, or is not for the host in the URI (%w)", plain(err))
	}
	return err
}

// isOurs says whether an error has a code of ours already.
func isOurs(err error) bool {
	var ours *ingot.Error
	return errors.As(err, &ours)
}

func asLibvirt(err error) (libvirt.Error, bool) {
	var cause libvirt.Error
	return cause, errors.As(err, &cause)
}

// is says whether err is one of libvirt's codes.
func is(err error, codes ...libvirt.ErrorNumber) bool {
	cause, ok := asLibvirt(err)
	return ok && slices.Contains(codes, cause.Code)
}

// broken says whether a connection is good for nothing more after err: what came from the wire and not from the other
// side.
func broken(err error) bool {
	cause, ok := asLibvirt(err)
	if !ok {
		return false
	}
	if cause.Code == libvirt.ERR_INVALID_CONN || cause.Code == libvirt.ERR_RPC {
		return true
	}
	wire := cause.Domain == libvirt.FROM_RPC || cause.Domain == libvirt.FROM_REMOTE
	return wire && (cause.Code == libvirt.ERR_SYSTEM_ERROR || cause.Code == libvirt.ERR_INTERNAL_ERROR)
}
