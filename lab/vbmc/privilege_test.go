package vbmc_test

import (
	"encoding/binary"
	"testing"

	"github.com/bougou/go-ipmi/pkg/crypto"
	"github.com/bougou/go-ipmi/pkg/protocol"
	"github.com/bougou/go-ipmi/pkg/rmcpplus"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// TestSessionKeepsToItsRole logs in by hand, because no client does this: it
// opens the session for an administrator, names a user's role in RAKP message
// 1, and then asks for the administrator's privilege.
func TestSessionKeepsToItsRole(t *testing.T) {
	server := &vbmc.Server{
		Machine: &machine{}, Username: testUser, Password: testPassword,
		Users: []vbmc.User{{Name: "viewer", Password: "v", Privilege: vbmc.PrivilegeUser}},
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	const alg, consoleID, role = types.AuthAlg_HMAC_SHA1, 1, 0x12 // by name only, user
	opened := server.HandleIPMI(openSession(alg, types.IntegrityAlg_HMAC_SHA1_96))
	id := binary.LittleEndian.Uint32(opened[24:])

	first := rmcpplus.RAKPMessage1{
		ManagedSystemSessionID: id, NameOnlyLookup: true, RequestedMaximumPrivilegeLevel: 2,
		UsernameLength: 6, Username: []byte("viewer"),
	}
	challenge := server.HandleIPMI(protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRAKPMessage1), 0, 0, 0, first.Pack()))
	second := rmcpplus.RAKPMessage2{AuthAlg: alg}
	if err := second.Unpack(challenge[16:]); err != nil {
		t.Fatal(err)
	}
	password := crypto.PadPassword20([]byte("v"))
	proof, err := crypto.RAKP3AuthCode(alg, second.ManagedSystemRandomNumber[:], consoleID, role, "viewer", password)
	if err != nil {
		t.Fatal(err)
	}
	third := rmcpplus.RAKPMessage3{ManagedSystemSessionID: id, KeyExchangeAuthenticationCode: proof}
	if login := server.HandleIPMI(protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRAKPMessage3), 0, 0, 0, third.Pack())); login[17] != 0 {
		t.Fatalf("login: status %02xh", login[17])
	}
	_, k1, _, err := crypto.DeriveSessionKeys(alg, first.RemoteConsoleRandomNumber[:], second.ManagedSystemRandomNumber[:], role, "viewer", password)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(sequence uint32, netFn, command uint8, data ...byte) types.CompletionCode {
		t.Helper()
		message := append([]byte{0x20, netFn << 2, 0, 0x81, 0, command}, data...)
		packet := protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeIPMI), types.PayloadFlagAuthenticated, id, sequence, append(message, 0))
		pad := types.IntegrityPadLen(12, len(message)+1)
		packet = append(packet, []byte{0xff, 0xff, 0xff}[:pad]...)
		packet = append(packet, byte(pad), 0x07)
		code, err := crypto.SessionIntegrityAuthCode(types.IntegrityAlg_HMAC_SHA1_96, packet[4:], k1, "")
		if err != nil {
			t.Fatal(err)
		}
		reply := server.HandleIPMI(append(packet, code...))
		if len(reply) < 23 {
			t.Fatalf("no reply to command %02x/%02x", netFn, command)
		}
		return types.CompletionCode(reply[22])
	}
	if code := ask(1, 0x00, 0x01); code != types.CodeOK {
		t.Errorf("Get Chassis Status as a user: %v", code)
	}
	if code := ask(2, 0x06, 0x3b, 0x04); code != types.CodeInsufficientPrivilege {
		t.Errorf("Set Session Privilege Level to administrator as a user: %v", code)
	}
	if code := ask(3, 0x00, 0x02, 0x01); code != types.CodeInsufficientPrivilege {
		t.Errorf("Chassis Control as a user: %v", code)
	}
}
