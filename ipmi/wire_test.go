package ipmi_test

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
	"github.com/ingot-metal/ingot/ipmi"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// Places in an RMCP+ datagram: the payload's type, and the first byte of the payload.
const (
	typePlace    = 5
	payloadPlace = 16
	openSession  = 0x10
)

// bmcAt starts a virtual BMC and gives its rig and port.
func bmcAt(t testing.TB) (*drivertest.Virtual, int) {
	t.Helper()
	v := drivertest.NewVirtual(t, vbmc.ProtocolIPMI, "127.0.0.1", nil)
	_, port, err := net.SplitHostPort(v.Truth(t).Address)
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return v, n
}

func infoFor(port int) map[string]any {
	return map[string]any{"ipmi_address": "127.0.0.1", "ipmi_port": port, "ipmi_username": "admin", "ipmi_password": "secret"}
}

// Anybody who can send to the port sends rubbish, cut, forged and repeated answers before each true one.
func TestHostileNeighbour(t *testing.T) {
	_, port := bmcAt(t)
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	var old [][]byte
	r := startRelay(t, port, func(answer []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		noise := make([]byte, random.IntN(80))
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		shaped := append([]byte{0x06, 0x00, 0xff, 0x07, 0x06, 0xc0, 0xa4, 0xa3, 0xa2, 0xa0}, noise...)
		forged := append([]byte(nil), answer...)
		forged[len(forged)-1-random.IntN(len(forged)/2)] ^= 1 << random.IntN(8)
		sent := [][]byte{nil, noise, shaped, answer[:random.IntN(len(answer))]}
		if answer[4] == 0x06 && answer[typePlace]&0xc0 == 0xc0 { // before that, nothing is authenticated
			sent = append(sent, forged)
		}
		if len(old) > 0 {
			sent = append(sent, old[random.IntN(len(old))])
		}
		old = append(old, answer)
		return append(sent, answer)
	})
	for range 20 {
		m := machine(t, infoFor(r.port), ipmi.Options{Timeout: 5 * time.Second, Attempts: 1})
		ctx := within(t, 30*time.Second)
		require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
		state, err := m.PowerState(ctx)
		require.NoError(t, err)
		require.Equal(t, ingot.PowerOn, state)
		require.NoError(t, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootPXE, Mode: ingot.ModeUEFI}))
		read, err := m.(ingot.Sensors).Sensors(ctx)
		require.NoError(t, err)
		require.NotEmpty(t, read)
		require.NoError(t, m.(ingot.Closer).Close())
	}
}

// Forged answers alone are none: the true one never comes.
func TestForgedAnswersOnly(t *testing.T) {
	_, port := bmcAt(t)
	r := startRelay(t, port, func(answer []byte) [][]byte {
		if answer[4] == 0x06 && answer[typePlace]&0xc0 == 0xc0 {
			answer[len(answer)-1] ^= 1
		}
		return [][]byte{answer}
	})
	_, err := machine(t, infoFor(r.port), ipmi.Options{Timeout: 20 * time.Millisecond, Attempts: 2}).PowerState(within(t, 10*time.Second))
	require.Equal(t, ingot.Unavailable, ingot.CodeOf(err), "%v", err)
}

// A BMC, or somebody in its place, that answers with a lesser suite than was asked for is not followed.
func TestSuiteIsNotLowered(t *testing.T) {
	_, port := bmcAt(t)
	r := startRelay(t, port, func(answer []byte) [][]byte {
		if answer[4] == 0x06 && answer[typePlace] == 0x11 && len(answer) > payloadPlace+32 {
			answer[payloadPlace+32] = 0 // confidentiality: none
		}
		return [][]byte{answer}
	})
	_, err := machine(t, infoFor(r.port), ipmi.Options{Timeout: 200 * time.Millisecond}).PowerState(within(t, 10*time.Second))
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "ipmi_cipher_suite")
	const rakp1 = 0x12
	require.Zero(t, r.asked(map[int]byte{typePlace: rakp1}), "nothing is proven to it")
}

// The best suite is taken, and remembered.
func TestCipherSuites(t *testing.T) {
	_, port := bmcAt(t)
	r := startRelay(t, port, func(answer []byte) [][]byte { return [][]byte{answer} })
	memory := &ipmi.Suites{}
	open := func(suite any, opt ipmi.Options) {
		info := infoFor(r.port)
		info["ipmi_cipher_suite"] = suite
		m, err := ipmi.New(info, opt)
		require.NoError(t, err)
		_, err = m.PowerState(within(t, 10*time.Second))
		require.NoError(t, err)
		require.NoError(t, m.(ingot.Closer).Close())
	}
	hello := map[int]byte{4: 0x00}
	with17, with3 := map[int]byte{typePlace: openSession, payloadPlace + 12: 0x03}, map[int]byte{typePlace: openSession, payloadPlace + 12: 0x01}
	open(nil, ipmi.Options{Suites: memory})
	require.Equal(t, []int{1, 1, 0}, []int{r.asked(hello), r.asked(with17), r.asked(with3)})
	open(nil, ipmi.Options{Suites: memory})
	require.Equal(t, []int{1, 2, 0}, []int{r.asked(hello), r.asked(with17), r.asked(with3)}, "not asked again")
	open(3, ipmi.Options{Suites: memory})
	require.Equal(t, []int{1, 2, 1}, []int{r.asked(hello), r.asked(with17), r.asked(with3)}, "the node names one")
	open(nil, ipmi.Options{})
	require.Equal(t, []int{2, 3, 1}, []int{r.asked(hello), r.asked(with17), r.asked(with3)}, "without memory")
}

// ipmi_sim does not say which suites it has: both are tried, and the next session knows.
func TestCipherSuitesUnasked(t *testing.T) {
	sim := startSimulator(t)
	r := startRelay(t, sim.port, func(answer []byte) [][]byte { return [][]byte{answer} })
	info := sim.info()
	info["ipmi_port"] = r.port
	memory := &ipmi.Suites{}
	for range 2 {
		m, err := ipmi.New(info, ipmi.Options{Suites: memory, Timeout: 100 * time.Millisecond})
		require.NoError(t, err)
		_, err = m.PowerState(within(t, 10*time.Second))
		require.NoError(t, err)
		require.NoError(t, m.(ingot.Closer).Close())
	}
	require.Equal(t, 1, r.asked(map[int]byte{typePlace: openSession, payloadPlace + 12: 0x03}))
	require.Equal(t, 2, r.asked(map[int]byte{typePlace: openSession, payloadPlace + 12: 0x01}))
}
