package ingot

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of failure an error is, for machines. The API maps codes to HTTP statuses in one place; the
// engine asks Temporary whether to try again.
type Code string

// The codes. Each names what the caller can do about it.
const (
	Invalid       Code = "invalid"        // the request is wrong as it stands: HTTP 400
	Unauthorized  Code = "unauthorized"   // who are you: HTTP 401
	Forbidden     Code = "forbidden"      // not yours to do: HTTP 403
	NotFound      Code = "not-found"      // no such thing: HTTP 404
	NotAcceptable Code = "not-acceptable" // the API version is too old or out of range: HTTP 406
	Conflict      Code = "conflict"       // clashes with something that exists: HTTP 409
	Locked        Code = "locked"         // another operation holds the node: HTTP 409, try again later
	TooLarge      Code = "too-large"      // body over the limit: HTTP 413
	Unavailable   Code = "unavailable"    // no room or no service now: HTTP 503, try again later
	Internal      Code = "internal"       // our fault: HTTP 500
	Unsupported   Code = "unsupported"    // this hardware or build cannot do it: HTTP 400
	Permanent     Code = "permanent"      // a step cannot succeed by trying again
	Fenced        Code = "fenced"         // the claim was lost; drop what was done under it
)

// Error is a failure with a code for machines and a sentence for people.
type Error struct {
	Code  Code
	After time.Duration // for failures that pass: when to ask again; 0 leaves it to the engine
	Err   error         // the sentence: names the thing, gives the cause, says what to do
}

// Error is the sentence.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the error under the code.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error as fmt.Errorf does.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// CodeOf is the code of the outermost Error in err's chain: "" for nil, Internal where there is none.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Fatal marks err as one that no repetition mends: a step that returns it fails at once.
func Fatal(err error) error {
	if err == nil || IsFatal(err) {
		return err
	}
	return &Error{Code: Permanent, Err: err}
}

// Fatalf is Fatal of a formatted error.
func Fatalf(format string, args ...any) error { return Errorf(Permanent, format, args...) }

// IsFatal says whether a step that met err should stop instead of asking again: true for Permanent, Invalid,
// Unsupported, Unauthorized, Forbidden and NotFound; all else (a timeout, a refused connection, a busy BMC) passes.
func IsFatal(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case Permanent, Invalid, Unsupported, Unauthorized, Forbidden, NotFound:
		return true
	}
	return false
}
