//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// Snapshots are libvirt's internal ones: disk, and memory of a guest that runs, are in the guest's qcow2 file. Whose a
// snapshot is, its description says: the key that it was asked for with.

// Snapshots lists them, the oldest first (ingot.Snapshots).
func (g *Guest) Snapshots(ctx context.Context) ([]ingot.Snapshot, error) {
	return inDomain(ctx, g, "list the snapshots", func(_ *libvirt.Connect, d *libvirt.Domain) ([]ingot.Snapshot, error) { return snapshotsOf(d) })
}

func snapshotsOf(d *libvirt.Domain) ([]ingot.Snapshot, error) {
	found, err := d.ListAllSnapshots(0)
	if err != nil {
		return nil, err
	}
	all := []ingot.Snapshot{}
	for i := range found {
		defer free(&found[i])
		s, err := readSnapshot(&found[i])
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b ingot.Snapshot) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all, nil
}

func readSnapshot(found *libvirt.DomainSnapshot) (ingot.Snapshot, error) {
	text, err := found.GetXMLDesc(0)
	if err != nil {
		return ingot.Snapshot{}, err
	}
	var x libvirtxml.DomainSnapshot
	if err := x.Unmarshal(text); err != nil {
		return ingot.Snapshot{}, fmt.Errorf("cannot read a snapshot: %w", err)
	}
	s := ingot.Snapshot{Name: x.Name, Key: x.Description, Power: ingot.PowerOff}
	if seconds, err := strconv.ParseInt(x.CreationTime, 10, 64); err == nil {
		s.CreatedAt = time.Unix(seconds, 0).UTC()
	}
	if x.State == "running" || x.State == "paused" {
		s.Power = ingot.PowerOn
	}
	if x.Parent != nil {
		s.Parent = x.Parent.Name
	}
	s.Current, err = found.IsCurrent(0)
	return s, err
}

// CreateSnapshot keeps the guest as it is now (ingot.Snapshots).
func (g *Guest) CreateSnapshot(ctx context.Context, name, key string) error {
	return g.errand(ctx, "create a snapshot", key, func(_ *libvirt.Connect, d *libvirt.Domain) error {
		now, err := snapshotsOf(d)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(now, func(s ingot.Snapshot) bool { return s.Name == name }); i >= 0 {
			if now[i].Key == key {
				return finished(d)
			}
			return ingot.Errorf(ingot.Invalid, "guest %s has a snapshot named %s already", g.node.UUID, name)
		}
		x := libvirtxml.DomainSnapshot{Name: name, Description: key}
		text, err := x.Marshal()
		if err != nil {
			return err
		}
		g.tell("snapshot-create")
		made, err := d.CreateSnapshotXML(text, 0)
		if err != nil {
			return err
		}
		free(made)
		return nil
	})
}

// finished holds when nothing long is being done to a domain any more: a snapshot is in the list before it is written.
func finished(d *libvirt.Domain) error {
	job, err := d.GetJobInfo()
	if err != nil || job.Type == libvirt.DOMAIN_JOB_NONE {
		return err
	}
	return under("write the snapshot")
}

// RevertSnapshot brings the guest back to what it was (ingot.Snapshots). What was defined since stays: its ports, its boot
// order. The key is noted there when all is done.
func (g *Guest) RevertSnapshot(ctx context.Context, name, key string) error {
	return g.errand(ctx, "revert to the snapshot", key, func(c *libvirt.Connect, d *libvirt.Domain) error {
		doc, err := stored(d)
		if err != nil || doc.at("metadata", "ingot:guest", "ingot:reverted").attr("key") == key {
			return err
		}
		to, err := g.snapshot(d, name)
		if err != nil {
			return err
		}
		defer free(to)
		g.tell("snapshot-revert")
		err = to.RevertToSnapshot(0)
		if is(err, libvirt.ERR_SNAPSHOT_REVERT_RISKY) { // the machine that runs is another one, and has to go
			err = to.RevertToSnapshot(libvirt.DOMAIN_SNAPSHOT_REVERT_FORCE)
		}
		if err != nil {
			return err
		}
		doc.note("ingot:reverted", `<ingot:reverted key="`+escape(key)+`"/>`)
		return g.define(c, "", doc)
	})
}

// DeleteSnapshot does away with one (ingot.Snapshots).
func (g *Guest) DeleteSnapshot(ctx context.Context, name string) error {
	return g.errand(ctx, "delete the snapshot", "delete "+name, func(_ *libvirt.Connect, d *libvirt.Domain) error {
		one, err := g.snapshot(d, name)
		if err != nil {
			return err
		}
		defer free(one)
		g.tell("snapshot-delete")
		return one.Delete(0)
	})
}

// snapshot finds one by its name.
func (g *Guest) snapshot(d *libvirt.Domain, name string) (*libvirt.DomainSnapshot, error) {
	found, err := d.SnapshotLookupByName(name, 0)
	if !is(err, libvirt.ERR_NO_DOMAIN_SNAPSHOT) {
		return found, err
	}
	all, err := snapshotsOf(d)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, s := range all {
		names = append(names, s.Name)
	}
	return nil, ingot.Errorf(ingot.NotFound, "guest %s has no snapshot %s; it has: %s", g.node.UUID, name, orNone(names))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// errand is Hosts.errand on the guest's domain.
func (g *Guest) errand(ctx context.Context, what, key string, call func(*libvirt.Connect, *libvirt.Domain) error) error {
	host, err := g.host(ctx, g.node.ParentNode)
	if err != nil {
		return fmt.Errorf("cannot %s: %w", what, err)
	}
	l, err := g.hosts.link(host.NodeUUID, host.URI)
	if err != nil {
		return fmt.Errorf("cannot %s: %w", what, err)
	}
	return g.hosts.errand(ctx, l, g.node.UUID+" "+what+" "+key, what, func(c *libvirt.Connect) error {
		d, err := g.lookup(c)
		if err != nil {
			return err
		}
		defer free(d)
		return call(c, d)
	})
}

// forgetSnapshots lets go of the names of snapshots whose disk is about to go.
func forgetSnapshots(d *libvirt.Domain) error {
	found, err := d.ListAllSnapshots(0)
	if err != nil {
		return err
	}
	for i := range found {
		defer free(&found[i])
		if err := found[i].Delete(libvirt.DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY); err != nil && !is(err, libvirt.ERR_NO_DOMAIN_SNAPSHOT) {
			return err
		}
	}
	return nil
}
