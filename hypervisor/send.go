//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// movePatience bounds one try of a move.
const movePatience = 4 * time.Hour

// trip is a guest on its way, which outlives the asking that began it.
type trip struct {
	key    string
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// SendGuest has the machine on another host (ingot.GuestMover). A move is by connections of its own: it takes long, and
// nothing else on the hosts is to wait for it.
func (g *Guest) SendGuest(ctx context.Context, move ingot.GuestMove) error {
	from, err := g.host(ctx, g.node.ParentNode)
	if err != nil {
		return err
	}
	to, err := g.host(ctx, move.To)
	if err != nil {
		return err
	}
	there := *g.node
	there.ParentNode = move.To
	shape, err := shapeOf(&there, move.Ports, &to)
	if err != nil {
		return err
	}
	if !move.Live && shape.TPM {
		return ingot.Errorf(ingot.Unsupported, "guest %s has a TPM, whose secrets only a live move takes along", g.node.UUID)
	}
	j := &journey{guest: g, arrived: &Guest{hosts: g.hosts, node: &there, host: g.host}, from: from, to: to, shape: shape, move: move}
	return g.hosts.travel(context.WithoutCancel(ctx), g.node.UUID, move.Key, j.run)
}

// travel begins a trip, or says how the one of the key is; one of another key is waited for.
func (h *Hosts) travel(ctx context.Context, guest, key string, run func(context.Context) error) error {
	h.mu.Lock()
	t := h.trips[guest]
	if t == nil {
		if h.trips == nil {
			h.trips = map[string]*trip{}
		}
		bounded, cancel := context.WithTimeout(ctx, movePatience)
		t = &trip{key: key, cancel: cancel, done: make(chan struct{})}
		h.trips[guest] = t
		go func() {
			defer close(t.done)
			defer cancel()
			t.err = run(bounded)
		}()
	}
	h.mu.Unlock()
	select {
	case <-t.done:
	case <-time.After(50 * time.Millisecond):
		return &ingot.Error{Code: ingot.Unavailable, After: time.Second, Err: fmt.Errorf("%s is on its way", tripOf(guest))}
	}
	h.mu.Lock()
	delete(h.trips, guest)
	h.mu.Unlock()
	if t.key != key {
		return &ingot.Error{Code: ingot.Unavailable, After: time.Millisecond, Err: fmt.Errorf("an earlier trip has ended: %s", tripOf(guest))}
	}
	return t.err
}

// tripOf is what goes on a trip of a key.
func tripOf(key string) string {
	if guest, disk := strings.CutSuffix(key, diskTrip); disk {
		return "the disk of guest " + guest
	}
	return "guest " + key
}

// diskTrip is behind a guest's UUID in the key of a trip of its disk alone.
const diskTrip = "/disk"

// underWay says that a guest is on a trip of this process that has not ended; "" where it is not.
func (h *Hosts) underWay(guest string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.trips[guest]
	if t == nil {
		return ""
	}
	select {
	case <-t.done:
		return ""
	default:
		return "it is on its way"
	}
}

// callBack ends a trip of this process, as soon as it can be ended.
func (h *Hosts) callBack(guest string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.trips[guest]; t != nil {
		t.cancel()
	}
}

// journey is one move.
type journey struct {
	guest, arrived *Guest
	from, to       ingot.Hypervisor
	shape          Shape // on the other host
	move           ingot.GuestMove
}

func (j *journey) run(ctx context.Context) error {
	here, err := j.open(ctx, &j.from)
	if err != nil {
		return err
	}
	defer here.leave()
	there, err := j.open(ctx, &j.to)
	if err != nil {
		return err
	}
	defer there.leave()
	if err := j.carry(ctx, here.session.conn, there.session.conn); err != nil {
		return explain(map[bool]string{true: "move the running guest", false: "move the guest"}[j.move.Live], j.to.URI, err)
	}
	return nil
}

// apart is a connection to a host that nobody shares.
type apart struct {
	link    *link
	session *session
}

func (a apart) leave() {
	a.session.giveUp()
	a.session.release()
	a.link.close()
}

func (j *journey) open(ctx context.Context, host *ingot.Hypervisor) (apart, error) {
	address, err := ParseURI(host.URI)
	if err != nil {
		return apart{}, err
	}
	l := newLink(address, j.guest.hosts.logger(), func(string) {})
	s, err := l.connect(ctx)
	if err != nil {
		return apart{}, explain("move the guest", address, err)
	}
	return apart{l, s}, nil
}

// carry moves the guest over two connections.
func (j *journey) carry(ctx context.Context, here, there *libvirt.Connect) error {
	d, err := here.LookupDomainByUUIDString(j.guest.node.UUID)
	if err != nil {
		return err
	}
	defer free(d)
	doc, err := stored(d)
	if err != nil {
		return err
	}
	volumes, err := j.guest.luggage(d)
	if err != nil {
		return err
	}
	if err := j.fits(volumes); err != nil {
		return err
	}
	arrived, err := j.hasArrived(there)
	if err != nil || arrived {
		return err
	}
	var log string
	if err := within(there, j.shape.Pool, func(pool *libvirt.StoragePool) (err error) {
		if sharedPool(&j.from, &j.to, j.shape.Pool) { // it has not seen what the other host made there
			if err := pool.Refresh(0); err != nil {
				return err
			}
		} else if err := hasRoom(pool, &j.shape, uint64(j.shape.DiskGB)*gib); err != nil {
			return err
		}
		log, err = consoleLogPath(pool, j.guest.node.UUID)
		return err
	}); err != nil {
		return err
	}
	if j.move.Live {
		return j.live(ctx, d, there, volumes, log)
	}
	return j.cold(ctx, here, there, doc, volumes, log)
}

// hasArrived says whether the guest was brought there by this very move, and takes away what an older one left there.
func (j *journey) hasArrived(there *libvirt.Connect) (bool, error) {
	d, err := there.LookupDomainByUUIDString(j.guest.node.UUID)
	if err == nil {
		defer free(d)
		doc, err := stored(d)
		if err != nil {
			return false, err
		}
		if !j.move.Live && doc.at("metadata", "ingot:guest", "ingot:moved").attr("key") == j.move.Key {
			return true, nil
		}
		power, err := powerOf(d)
		if err != nil {
			return false, err
		}
		if power != ingot.PowerOff {
			return false, ingot.Errorf(ingot.Unavailable, "compute host %s has the guest already, and it is not off there", j.to.NodeUUID)
		}
	} else if !is(err, libvirt.ERR_NO_DOMAIN) {
		return false, err
	}
	return false, j.arrived.retire(&j.to, there)
}

// live has the two hosts move a machine that runs on meanwhile.
func (j *journey) live(ctx context.Context, d *libvirt.Domain, there *libvirt.Connect, volumes []volumeOf, log string) error {
	running, err := d.GetXMLDesc(libvirt.DOMAIN_XML_MIGRATABLE | libvirt.DOMAIN_XML_SECURE)
	if err != nil {
		return err
	}
	inactive, err := d.GetXMLDesc(libvirt.DOMAIN_XML_INACTIVE | libvirt.DOMAIN_XML_SECURE)
	if err != nil {
		return err
	}
	texts := make([]string, 2)
	for i, text := range []string{running, inactive} {
		doc, err := parse(text)
		if err != nil {
			return err
		}
		if disks := doc.cached(&j.from); i == 0 && len(disks) > 0 {
			return ingot.Errorf(ingot.Unsupported, "guest %s runs with its host's page cache before disk %s, of which the other host may have old pages: switch it off and on once, or use cold_migrate",
				j.guest.node.UUID, mediaOf(disks[0]))
		}
		if doc, err = doc.destined(&j.shape, log); err != nil {
			return err
		}
		texts[i] = doc.String()
	}
	flags := libvirt.MIGRATE_LIVE | libvirt.MIGRATE_PERSIST_DEST | libvirt.MIGRATE_UNDEFINE_SOURCE | libvirt.MIGRATE_AUTO_CONVERGE | libvirt.MIGRATE_ABORT_ON_ERROR
	if j.from.MigrationTLS || j.to.MigrationTLS {
		flags |= libvirt.MIGRATE_TLS
	}
	if j.inPlace(volumes) {
		flags |= libvirt.MIGRATE_UNSAFE // the operator has said that the files are the same: libvirt knows only some file systems
		// (It also looks at the cache, as is done above.)
	} else {
		flags |= libvirt.MIGRATE_NON_SHARED_DISK
		if err := j.drives(ctx, d, there, volumes); err != nil {
			return err
		}
	}
	j.guest.tell("migrate")
	moved, err := d.Migrate3(there, &libvirt.DomainMigrateParameters{DestXMLSet: true, DestXML: texts[0], PersistXMLSet: true, PersistXML: texts[1]}, flags)
	if err != nil && flags&libvirt.MIGRATE_TLS != 0 && certificates().MatchString(err.Error()) {
		return ingot.Errorf(ingot.Unsupported, "%s (migration_tls is set, so the QEMU of compute hosts %s and %s needs certificates of one authority, in its migrate_tls_x509_cert_dir)",
			plain(err), j.from.NodeUUID, j.to.NodeUUID)
	}
	if err != nil {
		return err
	}
	free(moved)
	return nil
}

// certificates are libvirt's, QEMU's and GnuTLS's words for what is wrong with those of a move.
func certificates() *regexp.Regexp { return regexp.MustCompile(`(?i)credentials|certificate|TLS`) }

// drives has the volumes there that the hosts fill while the machine runs, and copies of those that nobody writes to.
func (j *journey) drives(ctx context.Context, d *libvirt.Domain, there *libvirt.Connect, volumes []volumeOf) error {
	here, err := d.DomainGetConnect()
	if err != nil {
		return err
	}
	defer here.Close() //nolint:errcheck // a second reference to an open connection
	for _, v := range volumes {
		if v.readOnly {
			if err := j.copy(ctx, here, there, v); err != nil {
				return err
			}
			continue
		}
		if err := j.empty(here, there, v); err != nil {
			return err
		}
	}
	return nil
}

// cold copies what a machine that is off has, and defines it there last of all.
func (j *journey) cold(ctx context.Context, here, there *libvirt.Connect, doc *document, volumes []volumeOf, log string) error {
	if !j.inPlace(volumes) {
		for _, v := range volumes {
			if err := j.copy(ctx, here, there, v); err != nil {
				return err
			}
		}
	}
	doc, err := doc.destined(&j.shape, log)
	if err != nil {
		return err
	}
	doc.note("ingot:moved", `<ingot:moved key="`+escape(j.move.Key)+`"/>`)
	return j.arrived.define(there, "", doc)
}
