package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"strings"
)

// bar is one line of the plot: how many times better Ingot was, and the two figures as text.
type bar struct {
	name, ours, theirs string
	ratio              float64
}

// The plot's measures, in pixels. Bars are as long as the logarithm of their ratio, from 1 to 1000.
const (
	plotWidth, rowHeight, labelWidth, barWidth = 760, 26, 230, 340
	plotTop, plotBottom                        = 34, 24
)

// plot writes the bars as an SVG file with the title above and the note below.
func plot(path, title, note string, bars []bar) error {
	var b strings.Builder
	height := plotTop + rowHeight*len(bars) + plotBottom
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n"+`<text x="8" y="18" font-size="14">%s</text>`+"\n", html.EscapeString(title))
	for i, bar := range bars {
		y := plotTop + rowHeight*i
		long := barWidth * min(1, math.Log10(max(1, bar.ratio))/3)
		fmt.Fprintf(&b, `<text x="8" y="%d">%s</text>`+"\n", y+15, html.EscapeString(bar.name))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.0f" height="16" fill="#3b6ea5"/>`+"\n", labelWidth, y+3, long)
		fmt.Fprintf(&b, `<text x="%.0f" y="%d">%.0fx  (%s beside %s)</text>`+"\n", labelWidth+long+6, y+15, bar.ratio, html.EscapeString(bar.ours), html.EscapeString(bar.theirs))
	}
	fmt.Fprintf(&b, `<text x="8" y="%d" font-size="10" fill="#555">%s</text>`+"\n</svg>\n", height-8, html.EscapeString(note))
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
