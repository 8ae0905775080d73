package store_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

func addr(last int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(last)}) }

func mac(i int) string { return fmt.Sprintf("aa:00:00:00:00:%02x", i) }

func TestLeases(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		in := func(d time.Duration) int64 { return clock.Now().Add(d).Unix() }
		_, err := s.Lease(ctx, "lan", mac(1))
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))

		first := ingot.Lease{Network: "lan", MAC: "AA:00:00:00:00:01", Address: addr(10), Hostname: "h", Until: in(time.Hour)}
		require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{first, {Network: "lan", MAC: mac(2), Address: addr(11), Until: in(time.Hour)}, {Network: "other", MAC: mac(1), Address: addr(10), Until: in(time.Hour)}}))
		first.MAC = mac(1)
		for _, get := range []func() (ingot.Lease, error){
			func() (ingot.Lease, error) { return s.Lease(ctx, "lan", "AA:00:00:00:00:01") },
			func() (ingot.Lease, error) { return s.LeaseByAddress(ctx, "lan", addr(10)) },
		} {
			got, err := get()
			require.NoError(t, err)
			require.Equal(t, first, got)
		}
		err = s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(3), Address: addr(12), Until: in(time.Hour)}, {Network: "lan", MAC: mac(4), Address: addr(10), Until: in(time.Hour)}})
		refused(t, err, ingot.Conflict, "Address 192.0.2.10 on network lan is leased to %s, not to %s.", mac(1), mac(4))
		_, err = s.Lease(ctx, "lan", mac(3))
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "all or none")

		// A renewal may move to another address and gives the old one free.
		require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(1), Address: addr(13), Until: in(time.Hour)}}))
		_, err = s.LeaseByAddress(ctx, "lan", addr(10))
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))

		require.NoError(t, s.ReleaseLease(ctx, "lan", mac(2)))
		require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(5), Address: addr(11), Until: in(time.Hour)}}), "given back, so free for others")
		all, err := s.ListLeases(ctx, "lan")
		require.NoError(t, err)
		require.Equal(t, []netip.Addr{addr(11), addr(13)}, []netip.Addr{all[0].Address, all[1].Address})

		err = s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(6), Address: netip.MustParseAddr("2001:db8::1"), Until: in(time.Hour)}})
		refused(t, err, ingot.Invalid, "cannot lease 2001:db8::1: leases are of IPv4 addresses")
	})
}

func TestFreeAddress(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		free := func(m int, except ...netip.Addr) netip.Addr {
			t.Helper()
			a, err := s.FreeAddress(ctx, "lan", mac(m), addr(10), addr(13), except)
			if ingot.CodeOf(err) == ingot.Unavailable {
				return netip.Addr{}
			}
			require.NoError(t, err)
			return a
		}
		lease := func(m, last int, d time.Duration) {
			t.Helper()
			require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(m), Address: addr(last), Until: clock.Now().Add(d).Unix()}}))
		}
		require.Equal(t, addr(10), free(1))
		require.Equal(t, addr(12), free(1, addr(10), addr(11)))
		lease(1, 10, time.Hour)
		lease(2, 12, 2*time.Minute)
		lease(9, 99, time.Hour) // out of the pool
		require.Equal(t, addr(11), free(3))
		require.Equal(t, addr(10), free(1), "its own")
		require.Equal(t, addr(11), free(1, addr(10)), "its own, but refused")
		require.Equal(t, addr(11), free(9), "its own is not of the pool")
		lease(3, 11, time.Minute)
		lease(4, 13, time.Hour)
		require.False(t, free(5).IsValid(), "the pool is full")
		_, err := s.FreeAddress(ctx, "lan", mac(5), addr(10), addr(13), nil)
		refused(t, err, ingot.Unavailable, "Network lan has no free address from 192.0.2.10 to 192.0.2.13: widen its pool or shorten its leases.")
		clock.move(3 * time.Minute)
		require.Equal(t, addr(11), free(5), "over for longest")
		require.Equal(t, addr(12), free(2), "its own, though over")
		require.Equal(t, addr(12), free(5, addr(11)))
		a, err := s.FreeAddress(ctx, "elsewhere", mac(5), addr(10), addr(13), nil)
		require.NoError(t, err)
		require.Equal(t, addr(10), a)
	})
}

func TestNoTwoMachinesGetOneAddress(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		const pool, machines = 20, 26
		until := time.Now().Add(time.Hour).Unix()
		var mu sync.Mutex
		got := map[netip.Addr]string{}
		var full atomic.Int32
		parallel(machines, func(i int) {
			l, err := s.ReserveLease(ctx, ingot.Lease{Network: "lan", MAC: mac(i), Until: until}, addr(1), addr(pool), nil)
			if ingot.CodeOf(err) == ingot.Unavailable {
				full.Add(1)
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if other := got[l.Address]; other != "" {
				t.Errorf("%s went to %s and %s", l.Address, other, l.MAC)
			}
			got[l.Address] = l.MAC
		})
		require.Len(t, got, pool)
		require.EqualValues(t, machines-pool, full.Load())
		_, err := s.ReserveLease(ctx, ingot.Lease{Network: "lan", MAC: "ff:00:00:00:00:00", Address: addr(1), Until: until}, addr(1), addr(pool), nil)
		require.Equal(t, ingot.Conflict, ingot.CodeOf(err))

		// Acknowledgements race for one address.
		var won atomic.Int32
		parallel(8, func(i int) {
			err := s.CommitLeases(ctx, []ingot.Lease{{Network: "lan", MAC: mac(100 + i), Address: addr(200), Until: until}})
			switch ingot.CodeOf(err) {
			case "":
				won.Add(1)
			case ingot.Conflict:
			default:
				t.Error(err)
			}
		})
		require.EqualValues(t, 1, won.Load())
	})
}

// TestBMCLeasesEndWithTheirOwner: where the last process is known to have ended, its BMCs are free in a moment; those of
// others, and of one that is only silent, are not.
func TestBMCLeasesEndWithTheirOwner(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		wait := func(bmc string) time.Duration {
			left, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: bmc, Owner: "asking", Until: clock.Now().Add(time.Second)})
			require.NoError(t, err)
			return left
		}
		for _, owner := range []string{"killed", "other"} {
			left, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: "bmc of " + owner, Owner: owner, Until: clock.Now().Add(22 * time.Second)})
			require.NoError(t, err)
			require.Zero(t, left)
		}
		require.NoError(t, s.Join(ctx, ingot.Conductor{Hostname: "a", Process: "new"}, "killed"))
		require.Equal(t, 2*time.Second, wait("bmc of killed"))
		if strings.HasSuffix(t.Name(), "postgres") {
			require.Equal(t, 22*time.Second, wait("bmc of other"))
			clock.move(store.ConductorTTL)
			_, err := s.TakeOver(ctx, ingot.Claimer{Hostname: "b", Process: "b"})
			require.NoError(t, err)
			require.Equal(t, 19*time.Second, wait("bmc of other"))
		} else {
			require.Equal(t, 2*time.Second, wait("bmc of other"))
		}
		left, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: "bmc of one that is nearly done", Owner: "killed", Until: clock.Now().Add(time.Second)})
		require.NoError(t, err)
		require.Zero(t, left)
		require.NoError(t, s.Join(ctx, ingot.Conductor{Hostname: "a", Process: "newer"}, "killed"), "again")
		require.Equal(t, time.Second, wait("bmc of one that is nearly done"), "never later than it was")
	})
}

// TestLeasesThatYield: of a conductor that is silent, the leases end under which it asks before everything that it sends;
// others last as long as its exchanges might.
func TestLeasesThatYield(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		lease := func(bmc, owner string, yields bool) time.Duration {
			left, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: bmc, Owner: owner, Until: clock.Now().Add(22 * time.Second), Yields: yields})
			require.NoError(t, err)
			return left
		}
		b := ingot.Conductor{Hostname: "b", Process: "living"}
		others := []func() error{func() error {
			_, err := s.TakeOver(ctx, ingot.Claimer{Hostname: "b", Process: "living"})
			return err
		}}
		if strings.HasSuffix(t.Name(), "postgres") { // on a file whoever joins knows that all others have ended
			others = append(others, func() error { return s.Join(ctx, ingot.Conductor{Hostname: "a", Process: "next"}, "") })
		}
		for round, takeOver := range others {
			stopped := fmt.Sprint("stopped ", round)
			require.NoError(t, s.Join(ctx, ingot.Conductor{Hostname: "a", Process: stopped}, ""))
			require.NoError(t, s.Join(ctx, b, ""))
			for bmc, yields := range map[string][]bool{"native": {true}, "tool": {false}, "native after the tool": {false, true}, "tool after native": {true, false}} {
				for _, y := range yields {
					require.Zero(t, lease(bmc, stopped, y), bmc)
				}
			}
			require.Zero(t, lease("of the living", "living", true))
			clock.move(store.ConductorTTL)
			require.Equal(t, 19*time.Second, lease("native", "asking", true), "nobody has noticed yet")
			_, err := s.Beat(ctx, b)
			require.NoError(t, err)
			require.NoError(t, takeOver())
			require.Equal(t, 2*time.Second, lease("native", "asking", true))
			for _, bmc := range []string{"tool", "native after the tool", "tool after native", "of the living"} {
				require.Equal(t, 19*time.Second, lease(bmc, "asking", true), bmc)
			}
			clock.move(30 * time.Second)
		}
	})
}

func TestLeaseBMC(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		ask := func(owner string, d time.Duration) time.Duration {
			t.Helper()
			wait, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: "192.0.2.1:623", Owner: owner, Until: clock.Now().Add(d)})
			require.NoError(t, err)
			return wait
		}
		require.Zero(t, ask("a", 10*time.Second))
		require.Equal(t, 10*time.Second, ask("b", time.Second))
		require.Zero(t, ask("a", 5*time.Second), "its own")
		require.Equal(t, 10*time.Second, ask("b", time.Second), "a shorter one of the owner's does not end the longer one")
		clock.move(10 * time.Second)
		require.Zero(t, ask("b", time.Minute), "over")
		require.NoError(t, s.ReleaseBMC(ctx, "192.0.2.1:623", "a"))
		require.Equal(t, time.Minute, ask("a", time.Second), "not a's to give back")
		require.NoError(t, s.ReleaseBMC(ctx, "192.0.2.1:623", "b"))
		require.Zero(t, ask("a", time.Second))
		wait, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: "192.0.2.2:623", Owner: "b", Until: clock.Now().Add(time.Second)})
		require.NoError(t, err)
		require.Zero(t, wait, "another BMC")
		_, err = s.LeaseBMC(ctx, ingot.BMCLease{Owner: "b", Until: clock.Now()})
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	})
}

func TestOneOwnerHasTheBMC(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) { // by the database's own clock on PostgreSQL
		ctx := context.Background()
		var granted atomic.Int32
		parallel(12, func(i int) {
			wait, err := s.LeaseBMC(ctx, ingot.BMCLease{Address: "bmc", Owner: fmt.Sprint(i), Until: time.Now().Add(time.Hour)})
			if err != nil {
				t.Error(err)
			} else if wait == 0 {
				granted.Add(1)
			} else if wait > time.Hour+time.Minute || wait < 50*time.Minute {
				t.Errorf("told to wait %v", wait)
			}
		})
		require.EqualValues(t, 1, granted.Load())
	})
}

// TestOffersAreOfOneMachine has two boot services offer addresses at once: no address goes to two machines, and no
// machine gets two.
func TestOffersAreOfOneMachine(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		until := time.Now().Add(time.Minute).Unix()
		var mu sync.Mutex
		byMAC, byAddress := map[string]netip.Addr{}, map[netip.Addr]string{}
		parallel(40, func(i int) {
			m := mac(i % 5) // each is offered something by eight at once
			for k := range 12 {
				got, err := s.OfferLease(ctx, ingot.Lease{Network: "lan", MAC: m, Address: addr(10 + (i+k)%6), Until: until})
				if ingot.CodeOf(err) == ingot.Conflict {
					continue
				}
				mu.Lock()
				defer mu.Unlock()
				if err != nil || byMAC[m].IsValid() && byMAC[m] != got.Address || byAddress[got.Address] != "" && byAddress[got.Address] != m {
					t.Errorf("%s was offered %s: %v; before: %v", m, got.Address, err, byMAC)
				}
				byMAC[m], byAddress[got.Address] = got.Address, m
				return
			}
			t.Errorf("%s was offered nothing", m)
		})
		require.Len(t, byMAC, 5)
	})
}

// TestAnOfferOfALeaseThatIsAboutToEnd: who is offered its own address again has time to take it.
func TestAnOfferOfALeaseThatIsAboutToEnd(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx, now := context.Background(), s.Now().Unix()
		mine := ingot.Lease{Network: "lan", MAC: "52:54:00:00:00:01", Address: netip.MustParseAddr("10.0.0.9"), Until: now + 5, Hostname: "n"}
		require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{mine}))
		other := ingot.Lease{Network: "lan", MAC: mine.MAC, Address: netip.MustParseAddr("10.0.0.10"), Until: now + 60}
		mine.Until = other.Until
		for range 2 {
			got, err := s.OfferLease(ctx, other)
			require.NoError(t, err)
			require.Equal(t, mine, got)
			kept, err := s.Lease(ctx, "lan", mine.MAC)
			require.NoError(t, err)
			require.Equal(t, mine, kept)
			other.Until-- // an offer shortens nothing
		}
	})
}

// TestALeaseShortensNoPromise: an acknowledgement may not arrive, so what was offered for longer lasts; a release ends it.
func TestALeaseShortensNoPromise(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx, now := context.Background(), s.Now().Unix()
		offered := ingot.Lease{Network: "lan", MAC: mac(1), Address: addr(9), Until: now + 60}
		_, err := s.OfferLease(ctx, offered)
		require.NoError(t, err)
		until := func(lease int64) int64 {
			t.Helper()
			given := offered
			given.Until = lease
			require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{given}))
			kept, err := s.Lease(ctx, "lan", mac(1))
			require.NoError(t, err)
			return kept.Until
		}
		require.Equal(t, now+60, until(now+30))
		require.Equal(t, now+90, until(now+90))
		require.Equal(t, now, until(now), "given back")
	})
}
