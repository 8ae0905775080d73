package store

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// LeaseBMC asks for the sole right to speak to the BMC at this address until the given time. It is granted (0) when
// nobody has it, or nobody any longer, or the owner itself; else the answer is how long the other's lasts, and nothing
// is written. An owner that has it gets the later of both times.
func (s *Store) LeaseBMC(ctx context.Context, address, owner string, until time.Time) (time.Duration, error) {
	if address == "" || owner == "" {
		return 0, ingot.Errorf(ingot.Invalid, "cannot lease a BMC without its address and an owner")
	}
	var wait time.Duration
	err := s.write(ctx, func(t *tx) error {
		wait = 0
		now, args := s.clock(t.now)
		lasts := until.Sub(t.now).Microseconds()
		// How long, not until when: processes agree on the database's clock alone.
		granted, err := t.exec(`INSERT INTO bmc_leases (address, owner, until) VALUES (?, ?, `+now+` + CAST(? AS BIGINT))
			ON CONFLICT (address) DO UPDATE SET owner = excluded.owner,
				until = CASE WHEN bmc_leases.owner = excluded.owner AND bmc_leases.until > excluded.until THEN bmc_leases.until ELSE excluded.until END
			WHERE bmc_leases.owner = excluded.owner OR bmc_leases.until <= `+now,
			concat([]any{address, owner}, args, []any{lasts}, args)...)
		if err != nil || granted > 0 {
			return err
		}
		var left int64
		if _, err := t.one([]any{&left}, "SELECT until - "+now+" FROM bmc_leases WHERE address = ?", append(args, address)...); err != nil {
			return err
		}
		wait = max(time.Duration(left)*time.Microsecond, time.Millisecond)
		return nil
	})
	return wait, err
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
// out as soon as no packet of it can arrive any more. It is not for one that is silent: a process that was stopped may go
// on in the middle of an exchange, whose deadline is in the lease.
func (t *tx) endLeases(owner string, all bool) error {
	now, args := t.store.clock(t.now)
	soon := concat(args, []any{lastPackets.Microseconds()})
	_, err := t.exec("UPDATE bmc_leases SET until = "+now+" + CAST(? AS BIGINT) WHERE (owner = ? OR CAST(? AS BOOLEAN)) AND until > "+now+" + CAST(? AS BIGINT)", concat(soon, []any{owner, all}, soon)...)
	return err
}

func concat(lists ...[]any) []any {
	var all []any
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
