package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// consoleJoin is `ingot node console NODE`.
type consoleJoin struct {
	oneNode
	Force bool `help:"Take the console from whoever has it."`
}

// consoleLog is `ingot node console log`.
type consoleLog struct {
	oneNode
	Bytes int `default:"1048576" help:"No more than so many of the last ones."`
}

// Run prints what the node said.
func (c *consoleLog) Run(ctx context.Context, s *session) error {
	said, err := s.ConsoleLog(ctx, c.Node, c.Bytes)
	if err == nil {
		_, err = s.out.Write(said)
	}
	return err
}

// leaveKey ends a sitting, as telnet's and virsh's does: Ctrl-].
const leaveKey = 0x1d

// Run sits at the console until Ctrl-] or the end of what is typed.
func (c *consoleJoin) Run(ctx context.Context, s *session) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	console, err := s.JoinConsole(ctx, c.Node, c.Force)
	if err != nil {
		return err
	}
	defer console.Close() //nolint:errcheck // it is left
	restore, err := raw(s)
	if err != nil {
		return err
	}
	defer restore()
	go func() {
		defer leave()
		typed(console, os.Stdin)
	}()
	_, err = io.Copy(s.out, console)
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// raw has the terminal hand over each key as it is pressed; what is typed does not come from one always.
func raw(s *session) (restore func(), err error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return func() {}, nil
	}
	before, err := term.MakeRaw(in)
	if err != nil {
		return nil, fmt.Errorf("cannot use the terminal: %w", err)
	}
	_, _ = fmt.Fprint(s.progress, "joined; Ctrl-] leaves\r\n")
	return func() { _ = term.Restore(in, before) }, nil
}

// typed carries keys to the console until it is left.
func typed(to io.Writer, from io.Reader) {
	keys := make([]byte, 1024)
	for {
		n, err := from.Read(keys)
		at := bytes.IndexByte(keys[:n], leaveKey)
		if at >= 0 {
			n = at
		}
		if n > 0 {
			if _, failed := to.Write(keys[:n]); failed != nil {
				return
			}
		}
		if err != nil || at >= 0 {
			return
		}
	}
}
