package store

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// LeaseBMC asks for the sole right to speak to a BMC. It is granted (0) when nobody has it, or nobody any longer, or the
// owner itself; else the answer is how long the other's lasts, and nothing is written. An owner that has it gets the later
// of both times, and a lease that yields if both did.
func (s *Store) LeaseBMC(ctx context.Context, lease ingot.BMCLease) (time.Duration, error) {
	if lease.Address == "" || lease.Owner == "" {
		return 0, ingot.Errorf(ingot.Invalid, "cannot lease a BMC without its address and an owner")
	}
	var wait time.Duration
	var refused error
	err := s.write(ctx, func(t *tx) error {
		wait, refused = 0, nil
		granted, err := t.leaseBMC(lease)
		if err != nil || granted {
			return err
		}
		wait, refused, err = t.leaseHeld(lease.Address)
		return err
	})
	if err == nil {
		err = refused
	}
	return wait, err
}

// leaseBMC writes a lease, if it may be granted.
func (t *tx) leaseBMC(lease ingot.BMCLease) (granted bool, err error) {
	now, args := t.store.clock(t.now)
	unsettled, since := t.unsettled(leasesLast)
	// How long, not until when: processes agree on the database's clock alone.
	changed, err := t.exec(`INSERT INTO bmc_leases (address, owner, yields, until) SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BOOLEAN), `+now+` + CAST(? AS BIGINT) WHERE `+unsettled+` <= 0
		ON CONFLICT (address) DO UPDATE SET owner = excluded.owner,
			yields = excluded.yields AND (bmc_leases.yields OR bmc_leases.owner <> excluded.owner OR bmc_leases.until <= `+now+`),
			until = CASE WHEN bmc_leases.owner = excluded.owner AND bmc_leases.until > excluded.until THEN bmc_leases.until ELSE excluded.until END
		WHERE bmc_leases.owner = excluded.owner OR bmc_leases.until <= `+now,
		concat([]any{lease.Address, lease.Owner, lease.Yields}, args, []any{lease.Until.Sub(t.now).Microseconds()}, since, args, args)...)
	return changed > 0, err
}

// leaseHeld says why a lease was not granted: how long another's lasts, or that none is for now.
func (t *tx) leaseHeld(address string) (wait time.Duration, refused, err error) {
	now, args := t.store.clock(t.now)
	unsettled, since := t.unsettled(leasesLast)
	var left, lasts int64
	if _, err := t.one([]any{&left, &lasts}, "SELECT "+unsettled+", COALESCE((SELECT until - "+now+" FROM bmc_leases WHERE address = ?), 0)", concat(since, args, []any{address})...); err != nil {
		return 0, nil, err
	}
	if left > 0 {
		_, err := t.noteLine()
		return 0, errUnsettled("BMC "+address+" is not spoken to", left), err
	}
	return max(time.Duration(lasts)*time.Microsecond, time.Millisecond), nil, nil
}

// ReleaseBMC gives the right back before its time, if the owner still has it: only when no command of it can be under
// way any more.
func (s *Store) ReleaseBMC(ctx context.Context, address, owner string) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM bmc_leases WHERE address = ? AND owner = ?", address, owner)
		return err
	})
}

// lastPackets is how long packets of a process that has ended may still be on their way.
const lastPackets = 2 * time.Second

// endLeases has the BMC leases of a process that is known to have ended (of all, for a file that only this one has) run
// out as soon as no packet of it can arrive any more.
func (t *tx) endLeases(owner string, all bool) error {
	return t.endLeasesWhere("(owner = ? OR CAST(? AS BOOLEAN))", owner, all)
}

// yieldLeases does so with those that yield, of a process that is silent: one that was stopped may go on in the middle of
// an exchange, but sends nothing more under these.
func (t *tx) yieldLeases(owner string) error {
	return t.endLeasesWhere("owner = ? AND yields", owner)
}

// yieldLeasesOf does so with those of the process that a conductor's row is of, if that is silent.
func (t *tx) yieldLeasesOf(hostname string) error {
	now, args := t.store.clock(t.now)
	return t.endLeasesWhere("yields AND owner IN (SELECT process FROM conductors WHERE hostname = ? AND updated_at <= "+now+" - ?)", concat([]any{hostname}, args, []any{t.store.ttl.Microseconds()})...)
}

func (t *tx) endLeasesWhere(which string, of ...any) error {
	now, args := t.store.clock(t.now)
	soon := concat(args, []any{lastPackets.Microseconds()})
	_, err := t.exec("UPDATE bmc_leases SET until = "+now+" + CAST(? AS BIGINT) WHERE "+which+" AND until > "+now+" + CAST(? AS BIGINT)", concat(soon, of, soon)...)
	return err
}

func concat(lists ...[]any) []any {
	var all []any
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
