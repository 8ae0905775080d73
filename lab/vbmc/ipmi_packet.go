package vbmc

import (
	"context"
	"encoding/binary"
	"net"

	"github.com/bougou/go-ipmi/pkg/protocol"
	"github.com/bougou/go-ipmi/pkg/types"
)

// packet is one datagram as it came.
type packet struct {
	from net.Addr
	data []byte
}

// RMCP message classes (IPMI section 13.1.3) and session header formats.
const (
	classASF  = 0x06
	classIPMI = 0x07

	authNone = 0x00 // IPMI 1.5 header without authentication
	authRMCP = 0x06 // RMCP+ header
)

// Offsets in an IPMI 1.5 packet without authentication (IPMI table 13-8).
const (
	v15SessionAt = 9
	v15LengthAt  = 13
	v15MessageAt = 14
)

// Offsets in an RMCP+ packet of a standard payload type (IPMI table 13-8).
const (
	rmcpSessionAt = 6
	rmcpLengthAt  = 14
	rmcpPayloadAt = 16
	// payloadTypeMask leaves out the encrypted and authenticated bits.
	payloadTypeMask = 0x3f
)

// isSOL says whether p belongs to a serial console.
func (p packet) isSOL() bool {
	return len(p.data) >= rmcpPayloadAt && p.data[3]&0x1f == classIPMI && p.data[4] == authRMCP &&
		p.data[5]&payloadTypeMask == uint8(types.PayloadTypeSOL)
}

// reply answers one packet; nil is no answer. It has no effect on the wire, so
// that anything can be thrown at it.
func (i *ipmiServer) reply(ctx context.Context, p packet) []byte {
	if len(p.data) < 5 {
		return nil
	}
	switch p.data[3] & 0x1f {
	case classASF:
		return asfReply(p.data)
	case classIPMI:
		if p.data[4] == authRMCP {
			return i.rmcpReply(ctx, p)
		}
		return i.v15Reply(ctx, p)
	}
	return nil
}

// asfReply answers a presence ping (ASF 2.0 section 3.2.4).
func asfReply(data []byte) []byte {
	const presencePing = 0x80
	if len(data) < 12 || data[8] != presencePing {
		return nil
	}
	return protocol.BuildASFPresencePong(data[9])
}

// v15Reply answers what clients ask in the old packet format before they open
// a session: IPMI 1.5 sessions themselves are not offered.
func (i *ipmiServer) v15Reply(ctx context.Context, p packet) []byte {
	data := p.data
	if len(data) < v15MessageAt || data[4] != authNone || binary.LittleEndian.Uint32(data[v15SessionAt:]) != 0 {
		return nil
	}
	end := v15MessageAt + int(data[v15LengthAt])
	if end > len(data) {
		return nil
	}
	message := i.message(ctx, p.from, nil, data[v15MessageAt:end])
	if message == nil {
		return nil
	}
	reply := make([]byte, v15MessageAt, v15MessageAt+len(message))
	copy(reply, []byte{0x06, 0x00, 0xff, classIPMI})
	reply[v15LengthAt] = byte(len(message))
	return append(reply, message...)
}

// rmcpReply answers an RMCP+ packet, in or before a session.
func (i *ipmiServer) rmcpReply(ctx context.Context, p packet) []byte {
	session, sequence, kind, flags, payload, ok := protocol.ParseRMCPPlusHeader(p.data)
	if !ok {
		return nil
	}
	if session != 0 {
		return i.sessionReply(ctx, p, inSession{session, sequence, kind, flags, payload})
	}
	switch types.PayloadType(kind) {
	case types.PayloadTypeIPMI:
		return outsideSession(types.PayloadTypeIPMI, i.message(ctx, p.from, nil, payload))
	case types.PayloadTypeRmcpOpenSessionRequest:
		return outsideSession(types.PayloadTypeRmcpOpenSessionResponse, i.openSession(ctx, p.from, payload))
	case types.PayloadTypeRAKPMessage1:
		return outsideSession(types.PayloadTypeRAKPMessage2, i.challenge(ctx, p.from, payload))
	case types.PayloadTypeRAKPMessage3:
		return outsideSession(types.PayloadTypeRAKPMessage4, i.login(ctx, p.from, payload))
	}
	return nil
}

// outsideSession packs a payload that belongs to no session; nil stays nil.
func outsideSession(kind types.PayloadType, payload []byte) []byte {
	if payload == nil {
		return nil
	}
	return protocol.BuildRMCPPlusPacket(uint8(kind), 0, 0, 0, payload)
}

func (i *ipmiServer) warn(what string, err error) {
	if err != nil {
		i.server.Logger.Warn(what, "error", err)
	}
}
