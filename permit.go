package ingot

import "context"

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
