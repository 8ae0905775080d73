package pxe_test

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// TestLeasesAreWrittenInGroups holds the first transaction up until fifty machines wait, and counts transactions.
func TestLeasesAreWrittenInGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.leases.block = make(chan struct{})
		acked := make(chan dhcpv4.MessageType, 50)
		for n := range 50 {
			go func() {
				at := netip.AddrFrom4([4]byte{10, 77, 0, byte(100 + n)}).String()
				req := packet(t, request, mac(n+1), requested(at))
				if a := b.server.Answer(ours, 67, req.ToBytes(), netip.MustParseAddrPort("0.0.0.0:68")); a != nil {
					acked <- a.Reply.MessageType()
				}
			}()
		}
		synctest.Wait() // all but those in the first transaction wait for the next
		close(b.leases.block)
		for range 50 {
			if kind := <-acked; kind != dhcpv4.MessageTypeAck {
				t.Errorf("a machine got %s", kind)
			}
		}
		total := 0
		for _, n := range b.leases.groups {
			total += n
		}
		if len(b.leases.groups) > 3 || total != 50 {
			t.Errorf("transactions of %v", b.leases.groups)
		}
	})
}

// TestOneMachineTwiceInAGroup has a machine's repeated request wait beside its first.
func TestOneMachineTwiceInAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.leases.block = make(chan struct{})
		acked := make(chan dhcpv4.MessageType, 3)
		ask := func(n int) {
			req := packet(t, request, mac(n), requested(netip.AddrFrom4([4]byte{10, 77, 0, byte(150 + n)}).String()))
			if a := b.server.Answer(ours, 67, req.ToBytes(), netip.MustParseAddrPort("0.0.0.0:68")); a != nil {
				acked <- a.Reply.MessageType()
			}
		}
		go ask(1)
		synctest.Wait()
		go ask(2)
		go ask(2)
		synctest.Wait()
		close(b.leases.block)
		for range 3 {
			if kind := <-acked; kind != dhcpv4.MessageTypeAck {
				t.Errorf("a machine got %s", kind)
			}
		}
		if !slices.Equal(b.leases.groups, []int{1, 1}) {
			t.Errorf("transactions of %v", b.leases.groups)
		}
	})
}
