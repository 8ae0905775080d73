package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// The login of every virtual BMC.
const (
	BMCUser     = "admin"
	BMCPassword = "rack-secret"
)

// Rack is a virtual rack. Fill in the fields, Open it, and Run it; the fields do not change after that. It needs root.
type Rack struct {
	// Name tells racks of one host apart: small letters, digits and dashes, up to 20; "" is lab. The namespace is
	// ingot-NAME.
	Name string
	// Dir gets disks, logs, journals and the service's data; required, made if it is missing. What is there from an
	// earlier rack is used again.
	Dir string
	// Temporary has Dir removed with the rack, also by Down.
	Temporary bool
	Nodes     []NodeSpec
	// Subnet is the bridge's own address with its network; invalid is 10.77.0.1/24. Nothing outside sees it.
	Subnet netip.Prefix
	Accel  Accel    // "" is TCG; see ProbeKVM
	Ingot  *Service // nil runs machines only
	Log    *slog.Logger

	lock     *os.File
	ledger   *ledger
	spawn    *spawner
	machines []*machine
	bmcs     []*vbmc.Server
	journals []*vbmc.Log
	files    []*os.File     // of the journals
	consoles []net.Listener // a socket for each machine
	service  *service       // the first of services
	services []*service     // processes of the service
	ran      bool
}

var rackName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$`)

// check fills in defaults and refuses what cannot work.
func (r *Rack) check() error {
	orText(&r.Name, "lab")
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if !r.Subnet.IsValid() {
		r.Subnet = netip.MustParsePrefix("10.77.0.1/24")
	}
	r.Nodes = slices.Clone(r.Nodes)
	for i := range r.Nodes {
		r.Nodes[i] = r.Nodes[i].withDefaults(r.Name, i)
	}
	switch {
	case os.Geteuid() != 0:
		return errors.New("cannot make a rack without being root: namespaces, taps and QEMU's network need it; use sudo")
	case !rackName.MatchString(r.Name):
		return fmt.Errorf("cannot make rack %q: a name has up to 20 small letters, digits and dashes", r.Name)
	case r.Dir == "" || !filepath.IsAbs(r.Dir):
		return errors.New("cannot make a rack: Dir has to be an absolute path")
	case !r.Subnet.Addr().Is4() || r.Subnet.Bits() > 27 || r.Subnet.Masked().Addr() == r.Subnet.Addr():
		return fmt.Errorf("cannot make a rack on %s: it has to be an address of an IPv4 network of /27 or larger", r.Subnet)
	}
	return checkNodes(r.Nodes)
}

// Open makes namespace, bridge, disks and sockets; whoever talks to a BMC or to the API from now on waits for Run. What
// it made is gone again when it fails.
func (r *Rack) Open(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the rack's folder: %w", err)
	}
	lock, err := lockRack(r.Name)
	if err != nil {
		return err
	}
	r.lock = lock
	for _, step := range []func(context.Context) error{r.begin, r.openMachines, r.openService} {
		if err := step(ctx); err != nil {
			return errors.Join(err, r.close())
		}
	}
	return nil
}

// begin clears what an earlier rack of the name left, writes the record and makes the namespace.
func (r *Rack) begin(ctx context.Context) error {
	if err := clearLeftovers(ctx, r.Name, r.Log); err != nil {
		return err
	}
	self, err := processOf("rack", os.Getpid())
	if err != nil {
		return err
	}
	r.ledger = &ledger{}
	r.spawn = newSpawner(r.ledger)
	err = r.ledger.write(func(record *Record) {
		*record = Record{Name: r.Name, Self: self, Namespace: namespaceName(r.Name), Dir: r.Dir, Temporary: r.Temporary, Key: r.keyFile()}
	})
	if err != nil {
		return err
	}
	if err := makeKey(r.keyFile()); err != nil {
		return err
	}
	beside := 0
	if r.Ingot != nil {
		beside = r.Ingot.Beside
	}
	return makeNamespace(ctx, namespaceName(r.Name), r.Subnet, len(r.Nodes), beside)
}

// record is what is written down about the rack.
func (r *Rack) record() Record {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	return r.ledger.record
}

// openMachines makes machines, their BMCs and their consoles.
func (r *Rack) openMachines(context.Context) error {
	records := make([]NodeRecord, 0, len(r.Nodes))
	for i, spec := range r.Nodes {
		m := r.newMachine(i, spec)
		if err := m.makeDisks(); err != nil {
			return err
		}
		bmc, err := r.newBMC(i, m)
		if err != nil {
			return err
		}
		listener, err := net.Listen("unix", m.files.console)
		if err != nil {
			return fmt.Errorf("cannot open the console of %s: %w", spec.Name, err)
		}
		r.machines, r.bmcs, r.consoles = append(r.machines, m), append(r.bmcs, bmc), append(r.consoles, listener)
		records = append(records, NodeRecord{
			Name: spec.Name, MAC: spec.MAC, IPMI: bmc.IPMIAddr(), Redfish: bmc.RedfishURL(), Console: m.files.console,
			Serial: filepath.Join(r.Dir, spec.Name+".serial.*.log"),
		})
	}
	return r.ledger.write(func(record *Record) { record.Nodes = records })
}

func (r *Rack) newMachine(i int, spec NodeSpec) *machine {
	place := func(name string) string { return filepath.Join(r.Dir, spec.Name+name) }
	accel := r.Accel
	orText(&accel, TCG)
	return &machine{
		spec: spec, tap: tapName(i), accel: accel, netns: namespaceName(r.Name), spawn: r.spawn, log: r.Log,
		console: &console{dir: r.Dir, name: spec.Name},
		files: machineFiles{
			disk: place(".disk"), vars: place(".vars"), errors: place(".qemu.log"), journal: place(".bmc.jsonl"),
			monitor: filepath.Join(runDir(r.Name), spec.Name+".monitor"), console: filepath.Join(runDir(r.Name), spec.Name+".console"),
		},
	}
}

// The BMCs' ports inside the namespace: machine i has these plus i, on the loopback address, which machines do not reach.
const (
	ipmiPort    = 6230
	redfishPort = 8100
)

// newBMC puts a BMC in front of a machine, listening inside the namespace.
func (r *Rack) newBMC(i int, m *machine) (*vbmc.Server, error) {
	file, err := os.OpenFile(m.files.journal, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot keep the journal of %s: %w", m.spec.Name, err)
	}
	journal := &vbmc.Log{Writer: file}
	r.files, r.journals = append(r.files, file), append(r.journals, journal)
	bmc := &vbmc.Server{
		Machine: m, IPMIListen: fmt.Sprintf("127.0.0.1:%d", ipmiPort+i), RedfishListen: fmt.Sprintf("127.0.0.1:%d", redfishPort+i),
		Username: BMCUser, Password: BMCPassword, Journal: journal,
	}
	m.takeBoot = bmc.TakeBoot
	return bmc, inNamespace(namespaceName(r.Name), bmc.Listen)
}

// openService opens what the service needs.
func (r *Rack) openService(context.Context) error {
	if r.Ingot == nil {
		return nil
	}
	r.service = &service{Service: *r.Ingot, rack: r}
	r.services = []*service{r.service}
	if err := r.service.open(); err != nil {
		return err
	}
	for number := 1; number <= r.Ingot.Beside; number++ {
		s := r.service.beside(number)
		r.services = append(r.services, s)
		if err := s.prepare(); err != nil {
			return err
		}
	}
	return r.ledger.write(func(record *Record) { record.API = r.APIURL() })
}

// Run runs BMCs, consoles and the service until ctx ends or one of them fails, and takes everything down. It has to
// follow a successful Open.
func (r *Rack) Run(ctx context.Context) error {
	r.ran = true
	group, ctx := errgroup.WithContext(ctx)
	for i := range r.machines {
		group.Go(func() error { return r.bmcs[i].Run(ctx) })
		group.Go(func() error { return r.machines[i].console.serve(ctx, r.consoles[i]) })
	}
	for _, s := range r.services {
		group.Go(func() error { return s.run(ctx) })
	}
	return errors.Join(group.Wait(), r.close())
}

// close takes down whatever was made, in reverse.
func (r *Rack) close() error {
	var errs []error
	for _, s := range r.services {
		s.kill()
		errs = append(errs, s.close())
	}
	for _, m := range r.machines {
		m.close()
	}
	for _, l := range r.consoles {
		_ = l.Close() // Run has closed it already
	}
	if !r.ran { // a BMC that has never run still has its sockets
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		for _, bmc := range r.bmcs {
			errs = append(errs, bmc.Run(ended))
		}
	}
	if r.ledger != nil {
		errs = append(errs, clearLeftovers(context.Background(), r.Name, r.Log))
		close(r.spawn.over)
	}
	for _, f := range r.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(append(errs, unlockRack(r.Name, r.lock))...)
}
