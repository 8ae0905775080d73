package ipmi_test

import (
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// relay stands between a machine and its BMC: it keeps what the machine sends, and shape makes of each answer the
// datagrams that the machine gets instead.
type relay struct {
	port  int
	shape func(answer []byte) [][]byte

	mu   sync.Mutex
	sent [][]byte
}

func startRelay(t testing.TB, bmcPort int, shape func([]byte) [][]byte) *relay {
	t.Helper()
	near, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	far, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bmcPort})
	require.NoError(t, err)
	r := &relay{port: near.LocalAddr().(*net.UDPAddr).Port, shape: shape}
	var client *net.UDPAddr
	var group sync.WaitGroup
	group.Go(func() {
		r.pump(near, func(datagram []byte, from *net.UDPAddr) {
			r.mu.Lock()
			r.sent, client = append(r.sent, datagram), from
			r.mu.Unlock()
			_, _ = far.Write(datagram)
		})
	})
	group.Go(func() {
		r.pump(far, func(datagram []byte, _ *net.UDPAddr) {
			r.mu.Lock()
			to := client
			r.mu.Unlock()
			for _, one := range shape(datagram) {
				_, _ = near.WriteToUDP(one, to)
			}
		})
	})
	t.Cleanup(func() {
		near.Close()
		far.Close()
		group.Wait()
	})
	return r
}

func (r *relay) pump(conn *net.UDPConn, take func([]byte, *net.UDPAddr)) {
	buffer := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFromUDP(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			take(append([]byte(nil), buffer[:n]...), from)
		}
	}
}

// asked counts the datagrams sent so far whose bytes hold at the given places.
func (r *relay) asked(at map[int]byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	for _, datagram := range r.sent {
		hit := true
		for place, value := range at {
			hit = hit && place < len(datagram) && datagram[place] == value
		}
		if hit {
			count++
		}
	}
	return count
}
