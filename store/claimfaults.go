package store

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// claimFaults is one statement, so that nobody is between its two looks: whatever differs in it is wrong. The second part are
// guests that have not claimed all resources of their host.
const claimFaults = `
	SELECT host, resource, '' AS guest, used, claimed FROM (SELECT k.host, k.resource, k.used,
		CAST(COALESCE((SELECT SUM(c.amount) FROM claims c WHERE c.host = k.host AND c.resource = k.resource), 0) AS BIGINT) AS claimed FROM capacities k) AS sums
	WHERE used <> claimed
	UNION ALL
	SELECT n.parent_node, '', n.uuid, 0, 0 FROM nodes n WHERE n.driver = ? AND n.parent_node <> ''
		AND (SELECT COUNT(*) FROM claims c WHERE c.guest = n.uuid AND c.host = n.parent_node) < ?
	ORDER BY 1, 2, 3`

// ClaimFaults are compute hosts that count as used what nobody has claimed, or the other way round, and guests without a
// claim: none, unless something is wrong with this program or with the database.
func (s *Store) ClaimFaults(ctx context.Context) ([]ingot.ClaimFault, error) {
	rows, err := s.read(ctx).rows(claimFaults, ingot.GuestDriver, len(ingot.Resources()))
	if err != nil {
		return nil, s.sentence(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []ingot.ClaimFault
	for rows.Next() {
		var f ingot.ClaimFault
		if err := rows.Scan(&f.Host, &f.Resource, &f.Guest, &f.Used, &f.Claimed); err != nil {
			return nil, s.sentence(err)
		}
		all = append(all, f)
	}
	return all, s.sentence(rows.Err())
}
