//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// SeeGuest says what the guest's host has of it (ingot.GuestMover).
func (g *Guest) SeeGuest(ctx context.Context) (ingot.GuestSight, error) {
	return onHost(ctx, g, "look for the guest", func(host *ingot.Hypervisor, c *libvirt.Connect) (ingot.GuestSight, error) {
		s := ingot.GuestSight{Power: ingot.PowerOff, Moving: g.hosts.underWay(g.node.UUID)}
		shape, err := shapeOf(g.node, nil, host)
		if err != nil {
			return s, err
		}
		if err := within(c, shape.Pool, func(pool *libvirt.StoragePool) (err error) {
			s.Disk, err = hasVolume(pool, shape.root())
			return err
		}); err != nil {
			return s, err
		}
		d, err := c.LookupDomainByUUIDString(g.node.UUID)
		if is(err, libvirt.ERR_NO_DOMAIN) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		defer free(d)
		s.Defined = true
		if err := look(d, &s); err != nil || !s.Defined {
			return s, err
		}
		_, err = g.luggage(d)
		switch {
		case ingot.CodeOf(err) == ingot.Unsupported:
			s.Stays, err = err.Error(), nil
		case is(err, libvirt.ERR_NO_DOMAIN): // it went since then
			return ingot.GuestSight{Power: ingot.PowerOff, Moving: s.Moving, Disk: s.Disk}, nil
		}
		return s, err
	})
}

// look reads what a domain does. One that is gone by then is not there.
func look(d *libvirt.Domain, s *ingot.GuestSight) error {
	state, reason, err := d.GetState()
	if is(err, libvirt.ERR_NO_DOMAIN) {
		s.Defined = false
		return nil
	}
	if err != nil {
		return err
	}
	if s.Power, err = powerOf(d); err != nil {
		return err
	}
	if s.Power == "" {
		return fmt.Errorf("it is in the state %d, which says nothing of its power", state)
	}
	s.Halted = state == libvirt.DOMAIN_PAUSED && halts(libvirt.DomainPausedReason(reason))
	if job := progress(d); job != "" {
		s.Moving = job
	}
	return nil
}

// halts says whether a machine stands still for the sake of a move.
func halts(reason libvirt.DomainPausedReason) bool {
	switch reason {
	case libvirt.DOMAIN_PAUSED_MIGRATION, libvirt.DOMAIN_PAUSED_STARTING_UP, libvirt.DOMAIN_PAUSED_POSTCOPY, libvirt.DOMAIN_PAUSED_POSTCOPY_FAILED:
		return true
	}
	return false
}

// progress is how far a domain's move is; "" where it is on none.
func progress(d *libvirt.Domain) string {
	job, err := d.GetJobInfo()
	if err != nil || job.Type != libvirt.DOMAIN_JOB_BOUNDED && job.Type != libvirt.DOMAIN_JOB_UNBOUNDED {
		return ""
	}
	const mib = 1 << 20
	return fmt.Sprintf("it is being moved: %d of %d MiB", job.DataProcessed/mib, job.DataTotal/mib)
}

// hasVolume says whether a pool has a volume; one that another host has made is looked for.
func hasVolume(pool *libvirt.StoragePool, name string) (bool, error) {
	for _, again := range []bool{false, true} {
		if again {
			if err := pool.Refresh(0); err != nil {
				return false, err
			}
		}
		found, err := pool.LookupStorageVolByName(name)
		if err == nil {
			free(found)
			return true, nil
		}
		if !is(err, libvirt.ERR_NO_STORAGE_VOL) {
			return false, err
		}
	}
	return false, nil
}

// ResumeGuest lets a machine go on that stands still for the sake of a move (ingot.GuestMover).
func (g *Guest) ResumeGuest(ctx context.Context) error {
	return g.domain(ctx, "let the guest go on", func(_ *libvirt.Connect, d *libvirt.Domain) error {
		var s ingot.GuestSight
		if err := look(d, &s); err != nil || !s.Halted {
			return err
		}
		g.tell("resume")
		return d.Resume()
	})
}

// StopSending breaks off a move from or to the host (ingot.GuestMover).
func (g *Guest) StopSending(ctx context.Context) error {
	g.hosts.callBack(g.node.UUID)
	_, err := onHost(ctx, g, "break off the move", func(_ *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		d, err := c.LookupDomainByUUIDString(g.node.UUID)
		if is(err, libvirt.ERR_NO_DOMAIN) {
			return struct{}{}, nil
		}
		if err != nil {
			return struct{}{}, err
		}
		defer free(d)
		if progress(d) == "" {
			return struct{}{}, nil
		}
		g.tell("abort-job")
		if err := d.AbortJob(); err != nil && progress(d) != "" { // else it ended by itself
			return struct{}{}, err
		}
		return struct{}{}, nil
	})
	return err
}

// RetireGuest does away with the domain, and with its volumes in the pools that are the host's alone (ingot.GuestMover).
func (g *Guest) RetireGuest(ctx context.Context) error {
	_, err := onHost(ctx, g, "do away with what is left of the guest", func(host *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		return struct{}{}, g.retire(host, c)
	})
	return err
}

func (g *Guest) retire(host *ingot.Hypervisor, c *libvirt.Connect) error {
	foreign, err := g.undefine(c)
	if err == nil && foreign {
		err = ingot.Errorf(ingot.Unsupported, "guest %s was adopted, and what is left of it on compute host %s is not Ingot's to do away with", g.node.UUID, host.NodeUUID)
	}
	if err != nil {
		return err
	}
	for _, p := range host.Pools {
		if p.Shared {
			continue
		}
		if err := within(c, p.Name, func(pool *libvirt.StoragePool) error { return dropVolumes(pool, g.node.UUID) }); err != nil {
			return err
		}
	}
	return nil
}
