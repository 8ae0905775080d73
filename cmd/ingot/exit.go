package main

import (
	"context"
	"errors"

	"github.com/ingot-metal/ingot"
)

// The exit codes, for scripts.
const (
	exitFailed      = 1 // the service refused, or it went wrong
	exitUsage       = 2 // the command line is wrong
	exitNotFound    = 3
	exitBusy        = 4 // conflict or locked: try again
	exitUnreachable = 5 // the service does not answer, or not in time
)

// exitCode is the code of an error; of several, that of the first.
func exitCode(err error) int {
	var several failures
	if errors.As(err, &several) {
		err = several[0]
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return exitUnreachable
	}
	switch ingot.CodeOf(err) {
	case ingot.NotFound:
		return exitNotFound
	case ingot.Conflict, ingot.Locked:
		return exitBusy
	case ingot.Unavailable:
		return exitUnreachable
	}
	return exitFailed
}
