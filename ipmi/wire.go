package ipmi

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/bougou/go-ipmi/pkg/rmcpplus"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// wire is the UDP socket of one session with a doorman: it hands go-ipmi only datagrams that belong to what was asked.
//
// go-ipmi (v0.9.1) takes the first datagram that comes as the answer to a session set-up message, does not verify the
// authentication code of answers, and its decryption indexes what it got unseen, in a goroutine of its own where a
// panic ends the process. Anybody who can guess a port can send datagrams; so each is verified here first, with the
// session keys that the doorman works out by listening to the handshake.
type wire struct {
	net.Conn
	user     string
	password string
	// awaited is the kind of the answer that may come.
	awaited awaited
	shake   handshake
	keys    *keys // once RAKP message 2 has come
	hungUp  atomic.Bool
	may     atomic.Pointer[func() error] // the permit of the exchange under way
}

// awaited is the kind of datagram that answers the one sent last.
type awaited struct {
	version15 bool // IPMI 1.5 framing
	payload   types.PayloadType
	inSession bool
}

// dial opens the socket. A name that does not exist is told by *net.DNSError.
func dial(ctx context.Context, address, user, password string) (*wire, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn, user: user, password: password}
	w.under(ctx)
	return w, nil
}

// under has what is sent from now on need the permit of ctx.
func (w *wire) under(ctx context.Context) {
	may := ingot.PermitOf(ctx)
	w.may.Store(&may)
}

// Dial gives go-ipmi the socket that is open already (its "proxy"). The address it makes up is not used: it joins
// host and port without brackets, which is wrong for IPv6.
func (w *wire) Dial(string, string) (net.Conn, error) { return w, nil }

// Write notes what is asked, and sends it.
func (w *wire) Write(datagram []byte) (int, error) {
	w.note(datagram)
	if err := (*w.may.Load())(); err != nil {
		return 0, err
	}
	return w.Conn.Write(datagram)
}

// Read waits for a datagram that answers, until the deadline; others are dropped.
func (w *wire) Read(into []byte) (int, error) {
	for {
		if w.hungUp.Load() {
			return 0, net.ErrClosed
		}
		n, err := w.Conn.Read(into)
		if err != nil {
			return n, err
		}
		if n = fillUp(into, n); w.admit(into[:n]) {
			return n, nil
		}
	}
}

// hangUp ends the waiting for answers, now and later; datagrams can still be sent. It may be called at any time.
func (w *wire) hangUp() {
	w.hungUp.Store(true)
	_ = w.Conn.SetReadDeadline(time.Unix(1, 0))
}

// note learns from a datagram of our own what may answer it.
func (w *wire) note(datagram []byte) {
	packet := &types.Rmcp{}
	if err := packet.Unpack(datagram); err != nil || packet.Session20 == nil {
		w.awaited = awaited{version15: true}
		return
	}
	header, payload := packet.Session20.SessionHeader20, packet.Session20.SessionPayload
	w.awaited = awaited{payload: header.PayloadType, inSession: header.SessionID != 0}
	switch header.PayloadType {
	case types.PayloadTypeRmcpOpenSessionRequest:
		w.awaited.payload, w.keys, w.shake = types.PayloadTypeRmcpOpenSessionResponse, nil, handshake{}
	case types.PayloadTypeRAKPMessage1:
		w.awaited.payload = types.PayloadTypeRAKPMessage2
		var rakp1 rmcpplus.RAKPMessage1
		if err := rakp1.Unpack(payload); err == nil {
			w.shake.consoleRandom, w.shake.role = rakp1.RemoteConsoleRandomNumber, rakp1.Role()
		}
	case types.PayloadTypeRAKPMessage3:
		w.awaited.payload = types.PayloadTypeRAKPMessage4
	}
}

// admit says whether a datagram may be an answer, and learns from those of the handshake.
func (w *wire) admit(datagram []byte) bool {
	packet := &types.Rmcp{}
	if err := packet.Unpack(datagram); err != nil || packet.RmcpHeader.ACKFlag || packet.RmcpHeader.MessageClass != types.MessageClassIPMI {
		return false
	}
	if packet.Session15 != nil {
		return w.awaited.version15 && packet.Session15.SessionHeader15.SessionID == 0 && wellFormed(packet.Session15.Payload)
	}
	if packet.Session20 == nil {
		return false
	}
	header, payload := packet.Session20.SessionHeader20, packet.Session20.SessionPayload
	if w.awaited.version15 || header.PayloadType != w.awaited.payload {
		return false
	}
	switch header.PayloadType {
	case types.PayloadTypeRmcpOpenSessionResponse:
		return w.opened(payload)
	case types.PayloadTypeRAKPMessage2:
		return w.challenged(payload)
	case types.PayloadTypeRAKPMessage4:
		return true // its integrity check value is verified by go-ipmi
	}
	if !w.awaited.inSession {
		return header.SessionID == 0 && !header.PayloadEncrypted && wellFormed(payload)
	}
	return w.keys != nil && header.SessionID == w.shake.consoleID && w.keys.genuine(datagram, header, payload)
}

// opened takes an Open Session Response (IPMI 2.0 section 13.18).
func (w *wire) opened(payload []byte) bool {
	var answer rmcpplus.OpenSessionResponse
	if err := answer.Unpack(payload); err != nil {
		return false
	}
	if answer.RmcpStatusCode == types.RmcpStatusCodeNoErrors {
		w.shake.consoleID = answer.RemoteConsoleSessionID
		w.shake.auth = types.AuthAlg(answer.AuthAlg)
		w.shake.integrity = types.IntegrityAlg(answer.IntegrityAlg)
		w.shake.crypt = types.CryptAlg(answer.CryptAlg)
	}
	return true
}

// challenged takes RAKP message 2 (section 13.21), from which the session's keys follow.
func (w *wire) challenged(payload []byte) bool {
	answer := rmcpplus.RAKPMessage2{AuthAlg: w.shake.auth}
	if err := answer.Unpack(payload); err != nil {
		return false
	}
	if answer.RmcpStatusCode == types.RmcpStatusCodeNoErrors {
		w.keys = w.shake.derive(answer.ManagedSystemRandomNumber, w.user, w.password)
	}
	return true
}

// fillUp lengthens a refusal of a session set-up message that stops after its status code, as ipmi_sim's do, to the 8
// bytes that section 13.18 gives a refusal and that go-ipmi insists on. It returns the datagram's new size.
func fillUp(datagram []byte, size int) int {
	const start, whole = rmcpHeaderSize + sessionHeaderSize, 8
	if size < start+2 || size >= start+whole || len(datagram) < start+whole || datagram[start+1] == 0 {
		return size
	}
	switch types.PayloadType(datagram[rmcpHeaderSize+1]) {
	case types.PayloadTypeRmcpOpenSessionResponse, types.PayloadTypeRAKPMessage2, types.PayloadTypeRAKPMessage4:
		clear(datagram[size : start+whole])
		datagram[start-2], datagram[start-1] = whole, 0
		return start + whole
	}
	return size
}

// wellFormed says whether an IPMI message has a body at all: addresses, command and completion code (section 13.8).
func wellFormed(message []byte) bool { return len(message) >= 8 }
