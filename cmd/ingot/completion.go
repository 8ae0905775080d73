package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// completionCommand is `ingot completion`.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the shell's script: it asks this program for the words.
func (c *completionCommand) Run(parsed *kong.Context) error {
	scripts := map[string]string{
		"bash": `_ingot() {
    local IFS=$'\n'
    COMPREPLY=($(ingot complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _ingot ingot
`,
		"zsh": `#compdef ingot
_ingot() {
    local -a found
    found=("${(@f)$(ingot complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -a found
}
compdef _ingot ingot
`,
		"fish": `complete -c ingot -f -a '(ingot complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
	}
	fmt.Fprint(parsed.Stdout, scripts[c.Shell])
	return nil
}

// completeCommand is `ingot complete`, which the shells' scripts call with the words so far; the last is the one to
// complete, and may be empty.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// nameWait is how long a completion waits for the service: somebody has pressed a key.
const nameWait = 2 * time.Second

// Run prints the words that could come, a line for each.
func (c *completeCommand) Run(ctx context.Context, parsed *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	last := ""
	if len(words) > 0 {
		words, last = words[:len(words)-1], words[len(words)-1]
	}
	parser, err := newParser(ctx)
	if err != nil {
		return err
	}
	so, err := kong.Trace(parser, words)
	if err != nil {
		return err
	}
	for _, word := range candidates(ctx, so, words) {
		if strings.HasPrefix(word, last) && (last != "" || !strings.HasPrefix(word, "-")) {
			fmt.Fprintln(parsed.Stdout, word)
		}
	}
	return nil
}

// candidates are commands, or values of a flag or argument, and flags.
func candidates(ctx context.Context, so *kong.Context, words []string) []string {
	node := so.Selected()
	if node == nil {
		node = so.Model.Node
	}
	var found []string
	flags := map[string]*kong.Flag{}
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			flags["--"+flag.Name] = flag
			if flag.Short != 0 {
				flags["-"+string(flag.Short)] = flag
			}
		}
	}
	if len(words) > 0 {
		if flag := flags[words[len(words)-1]]; flag != nil && !flag.IsBool() {
			return flag.EnumSlice()
		}
	}
	for _, child := range node.Children {
		if !child.Hidden {
			found = append(found, child.Name)
		}
	}
	if next := len(positionals(so)); len(node.Positional) > 0 {
		argument := node.Positional[min(next, len(node.Positional)-1)]
		found = append(found, argument.EnumSlice()...)
		if argument.Name == "node" || argument.Name == "name" {
			found = append(found, names(ctx, so, argument.Name)...)
		}
	}
	return append(found, slices.Sorted(maps.Keys(flags))...)
}

// positionals are the arguments that were given already.
func positionals(so *kong.Context) []*kong.Path {
	var given []*kong.Path
	for _, at := range so.Path {
		if at.Positional != nil {
			given = append(given, at)
		}
	}
	return given
}

// names asks the service for the names of things; none when it does not answer.
func names(ctx context.Context, so *kong.Context, what string) []string {
	ctx, cancel := context.WithTimeout(ctx, nameWait)
	defer cancel()
	if so.Reset() != nil {
		return nil
	}
	if _, err := so.Apply(); err != nil || bind(so) != nil {
		return nil
	}
	var found []string
	_, err := so.Call(func(s *session, r resource) {
		if what == "node" {
			r = (*nodeCommand)(nil).resource()
		}
		items, err := r.at(s).List(ctx, nil)
		if err != nil {
			return
		}
		for _, item := range items {
			name, _ := item["name"].(string)
			if name == "" {
				name, _ = item["uuid"].(string)
			}
			found = append(found, name)
		}
	})
	if err != nil {
		return nil
	}
	return found
}
