package vbmc

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/crypto"
	"github.com/bougou/go-ipmi/pkg/handlers"
	"github.com/bougou/go-ipmi/pkg/protocol"
	"github.com/bougou/go-ipmi/pkg/rmcpplus"
	"github.com/bougou/go-ipmi/pkg/types"
)

// inSession is the header of a packet that names a session, and its payload.
type inSession struct {
	session, sequence uint32
	kind, flags       uint8
	payload           []byte
}

// openSession answers an RMCP+ Open Session Request (IPMI section 13.17).
func (i *ipmiServer) openSession(ctx context.Context, from net.Addr, payload []byte) []byte {
	if !i.server.Faults.Get().NoSessions {
		reply, err := handlers.HandleOpenSession(ctx, i.bmc, payload)
		i.warn("cannot open IPMI session", err)
		return reply
	}
	var request rmcpplus.OpenSessionRequest
	if err := request.Unpack(payload); err != nil {
		return nil
	}
	refusal := rmcpplus.OpenSessionResponse{
		MessageTag:     request.MessageTag,
		RmcpStatusCode: types.RmcpStatusCodeNoResToCreateSess, RemoteConsoleSessionID: request.RemoteConsoleSessionID,
	}
	i.loginEntry(VerbLoginStart, from, "", outcomeOf(refusal.RmcpStatusCode))
	return refusal.Pack()
}

// challenge answers RAKP message 1, the user's name (IPMI section 13.20).
func (i *ipmiServer) challenge(ctx context.Context, from net.Addr, payload []byte) []byte {
	if len(payload) < rakp1NameAt {
		return nil
	}
	if !validName(payload) {
		refusal := rmcpplus.RAKPMessage2{MessageTag: payload[0], RmcpStatusCode: types.RmcpStatusCodeInvalidNameLength}
		i.loginEntry(VerbLoginStart, from, "", outcomeOf(refusal.RmcpStatusCode))
		return refusal.Pack()
	}
	reply, err := handlers.HandleRAKP1(ctx, i.bmc, payload)
	i.warn("cannot answer RAKP message 1", err)
	if len(reply) >= 2 {
		name := string(payload[rakp1NameAt : rakp1NameAt+int(payload[rakp1NameAt-1])])
		i.loginEntry(VerbLoginStart, from, name, outcomeOf(types.RmcpStatusCode(reply[1])))
	}
	return reply
}

// outcomeOf is an RMCP+ status (IPMI table 13-15) as the journal shows it.
func outcomeOf(status types.RmcpStatusCode) string {
	if status == types.RmcpStatusCodeNoErrors {
		return OutcomeOK
	}
	return fmt.Sprintf("0x%02x %s", uint8(status), status)
}

// rakp1NameAt is where RAKP message 1 has the user's name; its length is the
// byte before.
const rakp1NameAt = 28

// validName says whether RAKP message 1 has a name of a possible length.
// go-ipmi v0.9.1 adds that length in a byte (rmcpplus.RAKPMessage1.Unpack), so
// that one of 228 or more makes it slice out of range, before any login.
func validName(payload []byte) bool {
	size := int(payload[rakp1NameAt-1])
	return size <= rmcpplus.MaxUserNameLength && rakp1NameAt+size <= len(payload)
}

// login answers RAKP message 3, the proof of the password (IPMI section 13.22).
func (i *ipmiServer) login(ctx context.Context, from net.Addr, payload []byte) []byte {
	if len(payload) < 8 {
		return nil
	}
	user := ""
	if session, err := i.bmc.Sessions.Get(binary.LittleEndian.Uint32(payload[4:8])); err == nil {
		user = limitPrivilege(session)
	}
	reply, err := handlers.HandleRAKP3(ctx, i.bmc, payload)
	i.warn("cannot answer RAKP message 3", err)
	if len(reply) < 2 {
		return reply
	}
	i.loginEntry(VerbLogin, from, user, outcomeOf(types.RmcpStatusCode(reply[1])))
	return reply
}

// limitPrivilege makes sure that a session cannot get more than its user may
// have, and returns the user's name. go-ipmi v0.9.1 checks the role asked for
// in RAKP message 1 but then grants what Open Session asked for.
func limitPrivilege(session *bmc.Session) string {
	session.ProcMu.Lock()
	defer session.ProcMu.Unlock()
	if session.User == nil {
		return ""
	}
	if session.State == bmc.SessionStatePending {
		session.MaxPrivilege = min(session.MaxPrivilege, session.User.ChannelAccess[lanChannel].MaxPrivilege)
		if role := bmc.PrivilegeLevel(session.Role & 0x0f); role != 0 {
			session.MaxPrivilege = min(session.MaxPrivilege, role)
		}
	}
	return session.User.Name
}

func (i *ipmiServer) loginEntry(verb string, from net.Addr, user, outcome string) {
	i.server.journal(Entry{
		Time: i.server.Now(), Protocol: ProtocolIPMI, Verb: verb, Argument: user,
		Outcome: outcome, Remote: from.String(), User: user,
	})
}

// sessionReply answers a packet of an established session. Packets of one
// session are handled one after the other.
func (i *ipmiServer) sessionReply(ctx context.Context, p packet, in inSession) []byte {
	session, err := i.bmc.Sessions.Get(in.session)
	if err != nil {
		return nil
	}
	session.ProcMu.Lock()
	plain, ok := i.accept(session, p, in)
	if !ok {
		session.ProcMu.Unlock()
		return nil
	}
	switch types.PayloadType(in.kind) {
	case types.PayloadTypeIPMI:
		defer session.ProcMu.Unlock()
		message := i.message(ctx, p.from, session, plain)
		if message == nil {
			return nil
		}
		return sealed(session, types.PayloadTypeIPMI, in.flags&types.PayloadFlagEncrypted != 0, message)
	case types.PayloadTypeSOL:
		// Console data must not wait for a slow command of the same session.
		session.ProcMu.Unlock()
		return i.solReply(ctx, session, plain)
	}
	session.ProcMu.Unlock()
	return nil
}

// accept checks a packet's integrity and place in the sequence and decrypts
// its payload. The session's ProcMu must be held.
func (i *ipmiServer) accept(session *bmc.Session, p packet, in inSession) ([]byte, bool) {
	if session.State != bmc.SessionStateActive || !intact(session, p.data, in) ||
		!bmc.InboundSeqValid(session.InboundSeq, in.sequence) {
		return nil, false
	}
	plain := in.payload
	if in.flags&types.PayloadFlagEncrypted != 0 {
		decrypted, err := crypto.DecryptAESPayload(in.payload, session.K2)
		if err != nil {
			return nil, false
		}
		plain = decrypted
	}
	session.InboundSeq = in.sequence
	session.SetAddr(p.from)
	i.bmc.Sessions.Touch(session.BMCID)
	return plain, true
}

const nextHeader = 0x07 // in every RMCP+ session trailer, IPMI table 13-8

// intact verifies the trailer: padding, its length, next header, auth code.
// Both cipher suites on offer have one.
func intact(session *bmc.Session, data []byte, in inSession) bool {
	size, ok := crypto.IntegrityAuthCodeLen(session.IntegrityAlg)
	if !ok || size == 0 || in.flags&types.PayloadFlagAuthenticated == 0 {
		return false
	}
	codeAt := len(data) - size
	if codeAt < rmcpPayloadAt+len(in.payload)+2 || data[codeAt-1] != nextHeader ||
		int(data[codeAt-2]) != codeAt-2-rmcpPayloadAt-len(in.payload) {
		return false
	}
	code, err := crypto.SessionIntegrityAuthCode(session.IntegrityAlg, data[4:codeAt], session.K1, "")
	return err == nil && crypto.Equal(code, data[codeAt:])
}

// sealed packs a payload of a session, encrypted if asked and always with its
// auth code; nil if that fails.
func sealed(session *bmc.Session, kind types.PayloadType, encrypt bool, payload []byte) []byte {
	flags := types.PayloadFlagAuthenticated
	if encrypt {
		secret, err := crypto.EncryptAESPayload(payload, session.K2, crypto.RandomBytes(16))
		if err != nil {
			return nil
		}
		payload, flags = secret, flags|types.PayloadFlagEncrypted
	}
	data := protocol.BuildRMCPPlusPacket(uint8(kind), flags, session.ConsoleID, session.NextOutboundSeq(), payload)
	pad := types.IntegrityPadLen(rmcpPayloadAt-4, len(payload))
	for range pad {
		data = append(data, 0xff)
	}
	data = append(data, byte(pad), nextHeader)
	code, err := crypto.SessionIntegrityAuthCode(session.IntegrityAlg, data[4:], session.K1, "")
	if err != nil {
		return nil
	}
	return append(data, code...)
}
