package live

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// Log gives a log whose lines are what goes on in the phase: for builders that tell of their stages.
func (v *View) Log() *slog.Logger { return slog.New(viewHandler{v}) }

// viewHandler shows a record as one line of words.
type viewHandler struct{ view *View }

// Enabled leaves debugging out.
func (viewHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle shows the message and its values.
func (h viewHandler) Handle(_ context.Context, r slog.Record) error {
	words := []string{r.Message}
	r.Attrs(func(a slog.Attr) bool {
		text := a.Value.String()
		if a.Value.Kind() == slog.KindFloat64 {
			text = fmt.Sprintf("%.1f", a.Value.Float64())
		}
		words = append(words, a.Key+" "+text)
		return true
	})
	h.view.Say(strings.Join(words, ", "))
	return nil
}

// WithAttrs and WithGroup: builders have neither.
func (h viewHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup is as WithAttrs.
func (h viewHandler) WithGroup(string) slog.Handler { return h }
