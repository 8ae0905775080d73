package ingot

import (
	"context"
	"time"
)

// BMCLease is the sole right to speak to a BMC for a while.
type BMCLease struct {
	Address string // of the BMC, by which all know it
	Owner   string // a process
	Until   time.Time
	// Yields says that the owner sends nothing from the moment on at which others may take it for dead.
	Yields bool
}

// Permitted is the extra ability to be stopped at any moment: everything that is sent to the machine is sent by this
// process, which asks the permit before. Not so where a program is run, or a library sends by itself.
type Permitted interface {
	AsksPermit() bool
}

// permitKey is a ctx's key of its permit.
type permitKey struct{}

// WithPermit gives a ctx under which a driver asks before everything that it sends whether it still may: the answer is why
// not. A ctx that has ended is not enough, since a process that was stopped, or whose machine slept, goes on in the middle
// of an exchange before any timer tells it that its time is over.
func WithPermit(ctx context.Context, may func() error) context.Context {
	return context.WithValue(ctx, permitKey{}, may)
}

// PermitOf is the question that a driver asks before it sends something under ctx; never nil.
func PermitOf(ctx context.Context) func() error {
	if may, ok := ctx.Value(permitKey{}).(func() error); ok {
		return may
	}
	return func() error { return nil }
}
