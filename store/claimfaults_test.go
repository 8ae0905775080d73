package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// TestClaimFaults: what is used and not claimed, claimed and not used, and a guest without a claim; a guest on its way to
// another host is none.
func TestClaimFaults(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx, totals := context.Background(), ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 1 << 20}
		faults := func() []ingot.ClaimFault {
			t.Helper()
			found, err := s.ClaimFaults(ctx)
			require.NoError(t, err)
			return found
		}
		host, to := newHost(t, s, "host", totals).NodeUUID, newHost(t, s, "to", totals).NodeUUID
		guest, err := newGuest(s, host, 3, "")
		require.NoError(t, err)
		require.NoError(t, s.TakePlace(ctx, placeFor(t, s, guest, to)))
		require.Empty(t, faults())

		require.NoError(t, store.Tamper(ctx, s, "UPDATE capacities SET used = 7 WHERE host = ? AND resource = ?", host, string(ingot.VCPU)))
		want := ingot.ClaimFault{Host: host, Resource: ingot.VCPU, Used: 7, Claimed: 3}
		require.Equal(t, []ingot.ClaimFault{want}, faults())
		require.Equal(t, "compute host "+host+" counts 7 of VCPU as used, and its guests have claimed 3", want.String())
		require.NoError(t, store.Tamper(ctx, s, "UPDATE capacities SET used = 3 WHERE host = ? AND resource = ?", host, string(ingot.VCPU)))

		require.NoError(t, store.Tamper(ctx, s, "DELETE FROM claims WHERE guest = ? AND host = ? AND resource = ?", guest.UUID, host, string(ingot.DiskGB)))
		lacks := ingot.ClaimFault{Host: host, Guest: guest.UUID}
		require.Equal(t, []ingot.ClaimFault{lacks}, faults(), "nothing of the disk was used")
		require.NoError(t, store.Tamper(ctx, s, "DELETE FROM claims WHERE guest = ? AND host = ?", guest.UUID, host))
		require.Equal(t, []ingot.ClaimFault{lacks, {Host: host, Resource: ingot.MemoryMB, Used: 3072}, {Host: host, Resource: ingot.VCPU, Used: 3}}, faults())
		require.Equal(t, "guest "+guest.UUID+" of compute host "+host+" has not claimed what it has of it", lacks.String())
	})
}
