// Command peer compares Ingot with OpenStack Ironic: the same requests from the same client to both, in turn, on one
// machine. It prints medians and their ratios, and judges nothing: whoever runs it looks at the load average first.
//
//	peer -ingot http://127.0.0.1:16385 -ironic http://127.0.0.1:26385 [-rounds 5] [-many 10000] [-pid N] [-ironic-pids N,N]
//
// With the process ids, each service stands still while the other one is measured: what a peer does by itself (Ironic asks
// all nodes for their power every minute) would otherwise be counted against it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// options are the flags.
type options struct {
	rounds, nodes, cycled, many int
	pid                         int
	plot                        string
	bars                        []bar
}

func main() {
	var o options
	ingot := flag.String("ingot", "", "base URL of Ingot")
	ironic := flag.String("ironic", "", "base URL of Ironic")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each is measured, in turn")
	flag.IntVar(&o.nodes, "nodes", 1000, "nodes that are there before it begins")
	flag.IntVar(&o.cycled, "cycled", 200, "nodes taken through manage, provide, active and deleted")
	flag.IntVar(&o.many, "many", 0, "nodes for a second look with that many, 0 for none; Ironic takes about five minutes to make 10000")
	flag.IntVar(&o.pid, "pid", 0, "process of Ingot, the leader of its group, whose memory is shown")
	flag.StringVar(&o.plot, "plot", "", "SVG file for a plot of the ratios")
	theirs := flag.String("ironic-pids", "", "processes of Ironic, each the leader of its group, with commas between them")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	peers := []*service{newService("ingot", *ingot), newService("ironic", *ironic)}
	err := peers[0].leads(fmt.Sprint(o.pid))
	if err == nil {
		err = peers[1].leads(*theirs)
	}
	if err == nil {
		err = o.run(ctx, peers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

// run fills both services and measures.
func (o *options) run(ctx context.Context, peers []*service) error {
	fmt.Printf("load average %s; %d rounds in turn, %d nodes; medians\n", loadAverage(), o.rounds, o.nodes)
	for _, s := range peers {
		if err := s.fill(ctx, o.nodes); err != nil {
			return err
		}
	}
	few, err := o.measure(ctx, peers, workloads(o.cycled))
	if err != nil {
		return err
	}
	if o.plot != "" {
		note := fmt.Sprintf("Medians of %d rounds in turn, %d nodes, one machine, the same client; bars are logarithmic. OpenStack Ironic: Debian's packages.", o.rounds, o.nodes)
		if err := plot(o.plot, "Ingot beside OpenStack Ironic: times as quick", note, o.bars); err != nil {
			return err
		}
	}
	o.memory()
	if o.many == 0 {
		return nil
	}
	fmt.Printf("\nwith %d nodes, load average %s\n", o.many, loadAverage())
	for _, s := range peers {
		if err := s.fill(ctx, o.many); err != nil {
			return err
		}
	}
	many, err := o.measure(ctx, peers, append(reading(), walk()))
	if err != nil {
		return err
	}
	fmt.Printf("\nIngot with %d nodes beside %d (wanted: within 20 %%)\n", o.many, o.nodes)
	for _, w := range reading() {
		fmt.Printf("  %-34s %5.2f\n", w.name, many[w.name]/few[w.name])
	}
	o.memory()
	return nil
}

// measure runs every workload on both services in turn, round after round, so that what a service does by itself now and
// then meets all of them; it prints a line for each, and gives Ingot's medians by name.
func (o *options) measure(ctx context.Context, peers []*service, list []workload) (map[string]float64, error) {
	figures := make([][2][]float64, len(list))
	for range o.rounds {
		for at, w := range list {
			for i, s := range peers {
				peers[1-i].still(syscall.SIGSTOP)
				figure, err := w.run(ctx, s)
				peers[1-i].still(syscall.SIGCONT)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", s.name, w.name, err)
				}
				figures[at][i] = append(figures[at][i], figure)
			}
		}
	}
	medians := map[string]float64{}
	fmt.Printf("  %-34s %12s %12s %9s %9s\n", "", peers[0].name, peers[1].name, "ratio", "wanted")
	for at, w := range list {
		ours, theirs := median(figures[at][0]), median(figures[at][1])
		medians[w.name] = ours
		ratio := ours / theirs
		if w.lower {
			ratio = theirs / ours
		}
		fmt.Printf("  %-34s %12s %12s %8.1fx %8gx\n", w.name, w.show(ours), w.show(theirs), ratio, w.wanted)
		o.bars = append(o.bars, bar{w.name, w.show(ours), w.show(theirs), ratio})
	}
	return medians, nil
}

func (o *options) memory() {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.pid))
	if o.pid == 0 || err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "VmRSS") {
			fmt.Printf("  Ingot's memory: %s\n", strings.Join(strings.Fields(line)[1:], " "))
		}
	}
}

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
