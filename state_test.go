package ingot_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

var update = flag.Bool("update", false, "write docs/states.md anew")

// TestStatesDocument keeps docs/states.md as the table says.
func TestStatesDocument(t *testing.T) {
	want := statesDocument()
	if *update {
		require.NoError(t, os.WriteFile("docs/states.md", []byte(want), 0o644))
	}
	got, err := os.ReadFile("docs/states.md")
	require.NoError(t, err)
	require.Equal(t, want, string(got), "the state table changed: go test . -update")
}

func statesDocument() string {
	var b strings.Builder
	b.WriteString("# Provision states\n\nGenerated from the table in state.go by `go test . -update`.\n\n")
	b.WriteString("| from | verb | operation | shown as | target | if it fails |\n|---|---|---|---|---|---|\n")
	for _, t := range ingot.Transitions() {
		failed := ""
		if t.Kind != "" {
			failed = string(ingot.FailureOf(t.To))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", t.From, t.Verb, t.Kind, t.To, t.Target, failed)
	}
	b.WriteString("\n```mermaid\nstateDiagram-v2\n")
	name := func(s ingot.State) string { return strings.NewReplacer(" ", "_", "-", "_").Replace(string(s)) }
	for _, t := range ingot.Transitions() {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", name(t.From), name(t.To), t.Verb)
	}
	b.WriteString("```\n")
	return b.String()
}

// TestVerbsLeadSomewhere walks random verbs over the table: no walk leaves the known states, and none gets stuck.
func TestVerbsLeadSomewhere(t *testing.T) {
	verbs := []ingot.Verb{
		ingot.VerbManage, ingot.VerbProvide, ingot.VerbInspect, ingot.VerbClean, ingot.VerbAdopt, ingot.VerbActive, ingot.VerbRebuild,
		ingot.VerbDeleted, ingot.VerbAbort, ingot.VerbRescue, ingot.VerbUnrescue, ingot.VerbService, ingot.VerbUnhold,
	}
	rapid.Check(t, func(t *rapid.T) {
		state := ingot.Enroll
		for range 30 {
			row, ok := ingot.Next(state, rapid.SampledFrom(verbs).Draw(t, "verb"))
			if !ok {
				continue
			}
			switch outcome := rapid.SampledFrom([]string{"done", "fails", "waits"}).Draw(t, "outcome"); {
			case row.Kind == "":
				state = row.To
			case outcome == "fails":
				state = ingot.FailureOf(row.To)
			case outcome == "waits":
				state = ingot.WaitOf(row.To)
				if ingot.WorkOf(state) != row.To {
					t.Fatalf("%s waits as %s, which works as %s", row.To, state, ingot.WorkOf(state))
				}
				if state.Class() != ingot.Waiting {
					state = row.Target
				}
			default:
				state = row.Target
			}
			if state.Class() == "" {
				t.Fatalf("%s from %s leads to the unknown state %q", row.Verb, row.From, state)
			}
		}
	})
}

func TestEveryStateCanBeLeft(t *testing.T) {
	left := map[ingot.State]bool{}
	reached := map[ingot.State]bool{ingot.Enroll: true}
	for _, row := range ingot.Transitions() {
		left[row.From] = true
		reached[row.To] = true
		if row.Kind != "" {
			reached[row.Target], reached[ingot.FailureOf(row.To)] = true, true
		}
	}
	for s := range reached {
		if s.Class() == ingot.Stable || s.Class() == ingot.Failed {
			require.True(t, left[s], "no verb leads out of %s", s)
		}
	}
}
