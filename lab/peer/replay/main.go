// Command replay asks Ingot and OpenStack Ironic the same things, in turn, and compares what they answer: status, shape
// of errors and what these name, keys and values of bodies, headers of versions and places. The requests are the files in
// requests/; both services have to be new. What differs is a fault, unless known.go lists it with its reason.
//
//	replay -ingot http://127.0.0.1:16385 -ironic http://127.0.0.1:26385 [-v] [nodes.txt ...]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ingot := flag.String("ingot", "", "base URL of Ingot")
	ironic := flag.String("ironic", "", "base URL of Ironic")
	verbose := flag.Bool("v", false, "print known differences too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r := &replay{ours: newPeer(*ingot), theirs: newPeer(*ironic), verbose: *verbose, met: map[int]bool{}}
	if err := r.run(ctx, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

// replay is a run, and what it has counted.
type replay struct {
	ours, theirs *peer
	verbose      bool

	requests, same, known, faults int
	words                         int          // refusals in the same words
	refused                       int          // refusals at all
	met                           map[int]bool // rows of the table of known differences that were seen
}

// run sends the requests of some files, or of all, and says what came of it.
func (r *replay) run(ctx context.Context, files []string) error {
	whole := len(files) == 0
	if whole {
		files = scripts()
	}
	for _, file := range files {
		asks, err := read(file)
		if err != nil {
			return err
		}
		for i := range asks {
			if err := r.ask(ctx, &asks[i]); err != nil {
				return fmt.Errorf("%s: %w", asks[i].at, err)
			}
		}
	}
	for i, k := range knownDifferences() {
		if whole && !r.met[i] {
			fmt.Printf("%s %s %q is listed as a known difference, and nothing differs\n", k.aspect, k.request, k.detail)
			r.faults++
		}
	}
	fmt.Printf("refusals in the same words: %d of %d\n", r.words, r.refused)
	fmt.Printf("%d requests, %d the same, %d known differences\n", r.requests, r.same, r.known)
	if r.faults > 0 {
		return fmt.Errorf("%d differences that are not known", r.faults)
	}
	return nil
}

// ask sends one request to both and judges the answers.
func (r *replay) ask(ctx context.Context, a *ask) error {
	theirs, err := r.theirs.answer(ctx, a)
	if err != nil {
		return err
	}
	ours, err := r.ours.answer(ctx, a)
	if err != nil {
		return err
	}
	r.requests++
	if theirs.status >= 400 && ours.status >= 400 {
		r.refused++
		if theirs.sentence() == ours.sentence() {
			r.words++
		}
	}
	unknown, known := r.sort(a, differences(a, theirs, ours))
	switch {
	case len(unknown) > 0:
		r.faults += len(unknown)
	case len(known) > 0:
		r.known++
	default:
		r.same++
	}
	if len(unknown) > 0 || r.verbose && len(known) > 0 {
		fmt.Printf("%s: %s\n", a.at, a)
		for _, line := range append(unknown, known...) {
			fmt.Printf("    %s\n", line)
		}
	}
	return nil
}

// sort tells differences apart: those that are listed in the table, and others.
func (r *replay) sort(a *ask, all []difference) (unknown, known []string) {
	for _, d := range all {
		why := ""
		for i, k := range knownDifferences() {
			if k.fits(a, d) {
				r.met[i], why = true, k.reason
			}
		}
		if why == "" {
			unknown = append(unknown, d.String())
		} else {
			known = append(known, d.String()+" (known: "+why+")")
		}
	}
	return unknown, known
}
