package vbmc

import "context"

// call is the journal entry of the command being handled. One goroutine owns
// it; handlers sharpen it.
type call struct {
	Entry
	// changes marks a command that may change something: the ones whose
	// reply a fault can lose.
	changes bool
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// callOf returns the command being handled, or one that nobody reads.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// note names the command being handled as the journal shall show it.
func note(ctx context.Context, verb, argument string) *call {
	c := callOf(ctx)
	c.Verb, c.Argument = verb, argument
	return c
}
