package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// run is one run's parts.
type run struct {
	Settings
	url       string // of the database itself
	images    []image
	servers   []*server
	processes []*process
	clients   *clients
	listener  *listener
	watcher   *watcher
	trouble   *trouble
	segment   *segment // nil where none can be made
}

// Run makes trouble for the settings' time, waits until everything has come to rest, and judges. url is the database's own,
// past the relays. Its error is that the run itself went wrong: it says nothing of Ingot.
func Run(ctx context.Context, s Settings, url string) (report Report, err error) {
	r := &run{Settings: s, url: url, watcher: &watcher{url: url}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Report{}, err
	}
	if r.segment, err = newSegment(len(s.Relays)); err != nil {
		return Report{}, errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, r.segment.remove(len(s.Relays))) }()
	if err := r.build("http://" + l.Addr().String()); err != nil {
		return Report{}, errors.Join(err, l.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	var parts sync.WaitGroup
	parts.Go(func() { _ = runBMCs(ctx, r.servers) })
	parts.Go(func() { _ = (&front{listen: l, addresses: r.addresses()}).run(ctx) })
	parts.Go(func() { r.listener.run(ctx) })
	report, err = r.work(ctx)
	for _, p := range r.processes {
		err = errors.Join(err, p.kill())
	}
	cancel()
	parts.Wait()
	return report, err
}

func (r *run) addresses() []string {
	addresses := make([]string, len(r.processes))
	for i, p := range r.processes {
		addresses[i] = p.address
	}
	return addresses
}

// build makes all parts; nothing runs yet.
func (r *run) build(front string) (err error) {
	if r.images, err = makeImages(filepath.Join(r.Dir, "images"), r.random("images"), 3); err != nil {
		return err
	}
	ramdisk := filepath.Join(r.Dir, "ramdisk")
	if err := os.MkdirAll(ramdisk, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"vmlinuz", "initramfs.zst"} {
		if err := os.WriteFile(filepath.Join(ramdisk, name), []byte("pretended"), 0o644); err != nil {
			return err
		}
	}
	for i, relay := range r.Relays {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		p, err := newProcess(&r.Settings, fmt.Sprintf("conductor-%d", i), address, front, relay.Address(), r.segment.config(i))
		if err != nil {
			return err
		}
		r.processes = append(r.processes, p)
	}
	r.processes[0].older = r.Older
	for i := range r.Nodes {
		m, err := newServer(&r.Settings, i, front)
		if err != nil {
			return err
		}
		r.servers = append(r.servers, m)
	}
	r.clients = newClients(r.addresses())
	r.listener = &listener{clients: r.clients}
	r.trouble = &trouble{Settings: &r.Settings, processes: r.processes, servers: r.servers, watcher: r.watcher, steady: make([]time.Time, len(r.processes))}
	return nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// work is the run's time: enrol, trouble, rest, judge.
func (r *run) work(ctx context.Context) (Report, error) {
	if err := r.start(ctx); err != nil {
		return Report{}, err
	}
	r.Log("enrolled %d nodes; making trouble for %v", len(r.servers), r.Time)
	troubled, calm := context.WithTimeout(ctx, r.Time)
	defer calm()
	var users sync.WaitGroup
	for i, m := range r.servers {
		u := &user{clients: r.clients, node: m.node, images: r.images, random: r.random(fmt.Sprintf("user %d", i)), think: 8 * time.Second}
		users.Go(func() { u.run(troubled) })
	}
	asking := make(chan error, 1)
	go func() { asking <- r.segment.run(troubled, r.random) }()
	err := errors.Join(r.trouble.run(troubled), <-asking)
	users.Wait()
	r.trouble.follows.Wait()
	if err != nil {
		return Report{}, err
	}
	r.Log("all trouble is over; waiting for rest")
	restless := r.rest(ctx)
	record, err := r.record(ctx)
	if err != nil {
		return Report{}, err
	}
	report := r.report(record)
	if restless != nil {
		r.Log("%v", restless)
	}
	return report, nil
}

// start starts the conductors and enrols all machines.
func (r *run) start(ctx context.Context) error {
	for _, p := range r.processes {
		if err := p.start(); err != nil {
			return err
		}
		if err := await(ctx, 2*time.Minute, "conductor "+p.name+" to be ready; see "+p.log, p.ready); err != nil {
			return err
		}
	}
	if err := r.watcher.begin(ctx); err != nil {
		return err
	}
	errs := make(chan error, len(r.servers))
	slots := make(chan struct{}, 8)
	for _, m := range r.servers {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs <- r.clients.enrol(ctx, m)
		}()
	}
	for range r.servers {
		if err := <-errs; err != nil {
			return err
		}
	}
	for i := range r.trouble.steady {
		r.trouble.mark(i, time.Now())
	}
	r.trouble.markDatabase(time.Now())
	return nil
}

// rest waits until no node has anything under way, and no power is being changed.
func (r *run) rest(ctx context.Context) error {
	for _, p := range r.processes {
		if err := await(ctx, 2*time.Minute, "conductor "+p.name+" to be ready again; see "+p.log, func() bool {
			_, revived := p.revive()
			return revived == nil && p.ready()
		}); err != nil {
			return err
		}
	}
	busy := ""
	asked := time.Now()
	err := await(ctx, r.Rest, "rest", func() bool {
		nodes, err := r.clients.apis[0].Nodes(ctx, nil)
		if err != nil {
			return false
		}
		busy = ""
		for _, n := range nodes {
			if n.ProvisionState.Busy() || n.TargetPowerState != "" || n.Reservation != "" {
				busy += fmt.Sprintf("%s in %q (%s); ", n.Name, n.ProvisionState, n.TargetPowerState)
			}
		}
		if time.Since(asked) > 15*time.Second && busy != "" {
			asked = time.Now()
			r.Log("not at rest: %s", busy)
		}
		return busy == ""
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, busy)
	}
	pause(ctx, 25*time.Second) // a round of power sync, so that the record follows the machines
	return nil
}

// record collects what everybody wrote down.
func (r *run) record(ctx context.Context) (Record, error) {
	events, err := again(ctx, r.clients.apis[0])
	if err != nil {
		return Record{}, fmt.Errorf("cannot read the events again: %w", err)
	}
	if len(events) == 0 {
		return Record{}, errors.New("no event was told")
	}
	last := events[len(events)-1].ID
	if err := await(ctx, time.Minute, "the listener to hear the last event", func() bool { return r.listener.last() >= last }); err != nil {
		return Record{}, err
	}
	record := Record{Offers: r.segment.all(), Events: r.listener.all(), Again: events, Ended: time.Now()}
	record.Takeovers = r.watcher.all()
	record.Requests, record.Reads = r.clients.requests, r.clients.reads
	for _, s := range r.servers {
		m, err := s.record(ctx, r.images)
		if err != nil {
			return Record{}, err
		}
		for _, api := range r.clients.apis {
			n, err := api.Node(ctx, s.node)
			if err != nil {
				return Record{}, err
			}
			m.Shown = append(m.Shown, Shown{State: n.ProvisionState, Target: n.TargetProvisionState, Power: n.PowerState, Fault: n.Fault})
		}
		record.Machines = append(record.Machines, m)
	}
	// After the machines: BMCs are looked at all the time.
	record.Grants, err = r.watcher.grants(ctx)
	return record, err
}
