package store

import (
	"context"
	"time"
)

// How long what is over is kept. History is pruned as it is written.
const (
	operationsKept = 30 * 24 * time.Hour
	dhcpLeasesKept = 30 * 24 * time.Hour // a machine that was away for a holiday gets its address again
	bmcLeasesKept  = time.Hour
	pruneBatch     = 1000 // rows in one transaction, so that other writers do not wait long
)

// Prune removes what is no longer needed: events beyond the newest 100,000, operations that ended a month ago, DHCP
// leases that have been over for a month, BMC leases and files whose time is over. It is meant to be called every few
// minutes, by any conductor.
func (s *Store) Prune(ctx context.Context) error {
	now := s.now()
	for _, p := range []struct {
		table, key, old string
		arg             any
	}{
		{"events", "id", "id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)", eventsKept},
		{"operations", "id", "outcome <> '' AND ended_at < ?", micros(now.Add(-operationsKept))},
		{"dhcp_leases", "network || ' ' || mac", "until < ?", now.Add(-dhcpLeasesKept).Unix()},
		{"bmc_leases", "address", "until < ?", micros(now.Add(-bmcLeasesKept))},
		{"blobs", "key", "until <> 0 AND until < ?", micros(now)},
	} {
		statement := "DELETE FROM " + p.table + " WHERE " + p.key + " IN (SELECT " + p.key + " FROM " + p.table + " WHERE " + p.old + " LIMIT ?)"
		for removed := int64(pruneBatch); removed == pruneBatch; {
			if err := s.write(ctx, func(t *tx) (err error) {
				removed, err = t.exec(statement, p.arg, pruneBatch)
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
