package ipmi

import (
	"context"
	"errors"
	"net"

	"github.com/bougou/go-ipmi/pkg/client"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// explain gives a failed exchange its code and its sentence: what was wanted, which BMC, what it said.
func explain(what, address, user string, err error) error {
	var own *ingot.Error
	if errors.As(err, &own) {
		return own
	}
	if refused := explainLogin(address, user, err); refused != nil {
		return refused
	}
	if answer, ok := types.IsResponseError(err); ok {
		return ingot.Errorf(codeOf(answer.CompletionCode()), "cannot %s: BMC %s said: %s (%#02x)", what, address, saying(answer), uint8(answer.CompletionCode()))
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) && lookup.IsNotFound {
		return ingot.Errorf(ingot.Invalid, "cannot reach BMC %s: its address does not resolve: %w", address, lookup)
	}
	return ingot.Errorf(ingot.Unavailable, "cannot reach BMC %s: %w", address, err)
}

// explainLogin is the failure of a login; nil when err is none.
func explainLogin(address, user string, err error) error {
	// The BMC proves in RAKP message 2 that it has the user's password (section 13.21): a proof that does not hold means
	// that ours is another. In message 4 it may also be the BMC's Kg key.
	if errors.Is(err, client.ErrRAKPAuthentication) {
		return ingot.Errorf(ingot.Unauthorized, "cannot log in to BMC %s as %q: wrong password (ipmi_password), or the BMC has a Kg key: %w", address, user, err)
	}
	if suiteRefused(err) {
		return ingot.Errorf(ingot.Unsupported, "cannot log in to BMC %s as %q: it does not take the cipher suite (ipmi_cipher_suite): %w", address, user, err)
	}
	var status *types.RmcpStatusError
	if !errors.As(err, &status) {
		return nil
	}
	switch status.StatusCode() {
	case types.RmcpStatusCodeUnauthorizedName, types.RmcpStatusCodeInvalidNameLength, types.RmcpStatusCodeInvalidIntegrityCheckValue, types.RmcpStatusCodeUnauthorizedGUID:
		return ingot.Errorf(ingot.Unauthorized, "cannot log in to BMC %s as %q: wrong user name or password (ipmi_username, ipmi_password): %w", address, user, err)
	case types.RmcpStatusCodeInvalidRole, types.RmcpStatusCodeUnauthorizedRoleOfPriLevel:
		return ingot.Errorf(ingot.Forbidden, "cannot log in to BMC %s as %q: the user may not have this privilege level (ipmi_priv_level): %w", address, user, err)
	}
	return ingot.Errorf(ingot.Unavailable, "cannot log in to BMC %s as %q: %w", address, user, err) // no session slots, mostly
}

// codeOf says what a completion code (table 5-2) means for the one who asked.
func codeOf(code types.CompletionCode) ingot.Code {
	switch code {
	case types.CodeInsufficientPrivilege, types.CodeSetSessionPrivilegeLevelExceedsLimit:
		return ingot.Forbidden
	case types.CodeInvalidCommand, types.CodeInvalidCommandForLUN, types.CodeParameterNotSupported, types.CodeIllegalCommand,
		types.CodeSubFnDisabled, types.CodeParameterOutOfRange, types.CodeRequestDataFieldInvalid:
		return ingot.Unsupported
	}
	return ingot.Unavailable // busy, starting, updating, out of memory, or what nobody knows: it may pass
}

// saying is what an answer's completion code stands for.
func saying(answer *types.ResponseError) string {
	if answer.CompletionCode() == types.CodeOK {
		return "an answer that cannot be read"
	}
	return answer.CompletionCode().String()
}

// answered says whether the BMC was heard in spite of err: then the session is good for more.
func answered(err error) bool {
	_, ok := types.IsResponseError(err)
	return ok && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
