package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ingot-metal/ingot/api/client"
)

// reportLines is how much of a log's end is shown.
const reportLines = 40

// Report shows what is known of a node after something went wrong with it: its last error and history, what the boot
// service did, and the ends of its serial log and of the service's log.
func (r *Rack) Report(ctx context.Context, out io.Writer, api *client.Client, node string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if n, err := api.Node(ctx, node); err == nil {
		fmt.Fprintf(out, "\nnode %s: %s, %s\nlast error: %s\n", node, n.ProvisionState, n.PowerState, n.LastError)
	} else {
		fmt.Fprintln(out, "\nnode", node, "cannot be asked for:", err)
	}
	if history, err := api.History(ctx, node); err == nil {
		fmt.Fprintln(out, "\nhistory:")
		for _, h := range history {
			fmt.Fprintf(out, "  %s %-5s %s\n", h.CreatedAt, h.Severity, h.Event)
		}
	}
	if evidence, err := api.Evidence(ctx, node); err == nil {
		fmt.Fprintln(out, "\nboot service:")
		for _, e := range evidence {
			fmt.Fprintf(out, "  %s %s\n", e.At.Format(time.RFC3339), e.What)
		}
	}
	if logs, err := r.SerialLogs(node); err == nil && len(logs) > 0 {
		tail(out, logs[len(logs)-1])
	}
	tail(out, r.ServiceLog())
}

// tail shows the end of a file.
func tail(out io.Writer, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return // there is none
	}
	lines := strings.Split(strings.TrimRight(strings.ToValidUTF8(string(text), "?"), "\n"), "\n")
	fmt.Fprintf(out, "\nend of %s:\n", file)
	for _, line := range lines[max(0, len(lines)-reportLines):] {
		fmt.Fprintln(out, " ", strings.Map(printable, line))
	}
}

// printable drops what would move a terminal's cursor.
func printable(r rune) rune {
	if r < ' ' && r != '\t' {
		return -1
	}
	return r
}
