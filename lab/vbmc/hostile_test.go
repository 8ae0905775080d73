package vbmc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bougou/go-ipmi/pkg/protocol"
	"github.com/bougou/go-ipmi/pkg/rmcpplus"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot/lab/vbmc"
)

// presencePing is an RMCP ping (ASF 2.0 section 3.2.4.2) with the tag 7.
func presencePing() []byte {
	return []byte{0x06, 0x00, 0xff, 0x06, 0x00, 0x00, 0x11, 0xbe, 0x80, 0x07, 0x00, 0x00}
}

// openSession is an RMCP+ Open Session Request for one cipher suite.
func openSession(auth types.AuthAlg, integrity types.IntegrityAlg) []byte {
	a, i, c := rmcpplus.NewAlgorithmPayloads(auth, integrity, types.CryptAlg_AES_CBC_128)
	request := rmcpplus.OpenSessionRequest{RemoteConsoleSessionID: 1, AuthenticationPayload: a, IntegrityPayload: i, ConfidentialityPayload: c}
	return protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRmcpOpenSessionRequest), 0, 0, 0, request.Pack())
}

// longName is a RAKP message 1 that says its user name has 250 bytes.
func longName() []byte {
	message := make([]byte, 28)
	message[27] = 250
	return protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRAKPMessage1), 0, 0, 0, message)
}

// handled returns a server that is listening and not running, for packets
// given by hand.
func handled(t testing.TB) (*vbmc.Server, *vbmc.Log) {
	t.Helper()
	log := &vbmc.Log{Keep: 10}
	server := &vbmc.Server{Machine: &machine{}, Username: testUser, Password: testPassword, Journal: log}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	return server, log
}

func TestImpossibleNameLengthIsRefused(t *testing.T) {
	server, _ := handled(t)
	reply := server.HandleIPMI(longName())
	if len(reply) < 18 || types.RmcpStatusCode(reply[17]) != types.RmcpStatusCodeInvalidNameLength {
		t.Errorf("reply to a name of 250 bytes: %x, want RMCP+ status 0Ch", reply)
	}
}

func FuzzIPMIPacket(f *testing.F) {
	f.Add(presencePing())
	f.Add(openSession(types.AuthAlg_HMAC_SHA1, types.IntegrityAlg_HMAC_SHA1_96))
	f.Add(openSession(types.AuthAlg_HMAC_SHA256, types.IntegrityAlg_HMAC_SHA256_128))
	f.Add(longName())
	f.Add(protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRAKPMessage1), 0, 0, 0, make([]byte, 44)))
	f.Add(protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRAKPMessage3), 0, 0, 0, make([]byte, 28)))
	f.Add(protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeIPMI), 0xc0, 1, 1, make([]byte, 48)))
	f.Add(protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeSOL), 0xc0, 1, 1, make([]byte, 16)))
	// Get Channel Authentication Capabilities, as every client begins.
	f.Add([]byte{0x06, 0, 0xff, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0x20, 0x18, 0xc8, 0x81, 0, 0x38, 0x8e, 0x04, 0xb5})
	server, _ := handled(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		reply := server.HandleIPMI(data)
		if len(reply) > 0 && (len(reply) < 5 || reply[0] != 0x06) {
			t.Errorf("the reply is no RMCP packet: %x", reply)
		}
	})
}

// FuzzHandshake sends both halves of a login with a session ID that is real.
func FuzzHandshake(f *testing.F) {
	name := make([]byte, 28, 33)
	name[24], name[27] = 0x14, 5
	f.Add(append(name, testUser...), make([]byte, 28))
	f.Add(make([]byte, 28), make([]byte, 8))
	server, _ := handled(f)
	f.Fuzz(func(t *testing.T, first, third []byte) {
		opened := server.HandleIPMI(openSession(types.AuthAlg_HMAC_SHA1, types.IntegrityAlg_HMAC_SHA1_96))
		if len(opened) < 28 {
			t.Fatalf("no session: %x", opened)
		}
		for kind, message := range map[types.PayloadType][]byte{types.PayloadTypeRAKPMessage1: first, types.PayloadTypeRAKPMessage3: third} {
			if len(message) >= 8 {
				message = append(append(message[:4:4], opened[24:28]...), message[8:]...)
			}
			if len(message) < 0xffff {
				server.HandleIPMI(protocol.BuildRMCPPlusPacket(uint8(kind), 0, 0, 0, message))
			}
		}
	})
}

func FuzzIPMICommand(f *testing.F) {
	for _, c := range []struct{ netFn, id uint8 }{
		{0, 1},
		{0, 2},
		{0, 4},
		{0, 8},
		{0, 9},
		{4, 2},
		{4, 0x2d},
		{6, 1},
		{6, 0x3b},
		{6, 0x3c},
		{6, 0x3d},
		{6, 0x42},
		{6, 0x44},
		{6, 0x47},
		{6, 0x48},
		{6, 0x54},
		{10, 0x10},
		{10, 0x11},
		{10, 0x20},
		{10, 0x23},
		{10, 0x40},
		{10, 0x43},
		{10, 0x44},
		{10, 0x46},
		{10, 0x47},
		{12, 2},
		{12, 0x21},
		{12, 0x22},
		{0x2c, 1},
	} {
		f.Add(c.netFn, c.id, []byte{0x05, 0xe0, 0x04, 0, 0, 0})
	}
	f.Add(uint8(10), uint8(0x43), []byte{0, 0, 0, 0, 3, 255})
	server, _ := handled(f)
	f.Fuzz(func(t *testing.T, netFn, id uint8, data []byte) {
		message := append([]byte{0x20, netFn << 2, 0, 0x81, 0, id}, data...)
		reply := server.HandleCommand(append(message, 0))
		if netFn&0x3f&1 == 0 && (len(reply) < 8 || reply[5] != id) {
			t.Errorf("the reply to command %02x/%02x is %x", netFn, id, reply)
		}
	})
}

func FuzzRedfish(f *testing.F) {
	for _, path := range []string{
		"/", "/redfish", "/redfish/v1/", "/redfish/v1/Systems/1", "/redfish/v1/SessionService/Sessions/1",
		"/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", "/redfish/v1/Managers/1/VirtualMedia/Cd/Actions/VirtualMedia.InsertMedia",
	} {
		f.Add("GET", path, "")
		f.Add("POST", path, `{"ResetType":"On","Image":"http://a/b","UserName":"a","Password":"b"}`)
	}
	f.Add("PATCH", "/redfish/v1/Systems/1", `{"Boot":{"BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Once"}}`)
	f.Add("PATCH", "/redfish/v1/Systems/1", `{"Boot":null}`)
	server, log := handled(f)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		request := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
		request.Method, request.URL.Path = method, path
		request.SetBasicAuth(testUser, testPassword)
		answer := httptest.NewRecorder()
		server.RedfishHandler().ServeHTTP(answer, request)
		if answer.Code >= 500 || len(log.Find(vbmc.ProtocolRedfish, vbmc.VerbPanic)) > 0 {
			t.Errorf("%s %s answered %d %s", method, path, answer.Code, answer.Body)
		}
		if answer.Code != http.StatusNoContent && !json.Valid(answer.Body.Bytes()) {
			t.Errorf("%s %s answered no JSON: %q", method, path, answer.Body)
		}
	})
}

// panicking is a machine whose code panics when it is switched.
type panicking struct{ machine }

func (*panicking) SetPower(context.Context, vbmc.PowerAction, vbmc.Boot) error { panic("loose wire") }

func TestPanicIsContained(t *testing.T) {
	b := start(t, func(s *vbmc.Server) { s.Machine = &panicking{} })
	if out, err := b.tryIpmitool(t, testUser, testPassword, "-N", "1", "-R", "1", "chassis", "power", "on"); err == nil {
		t.Errorf("power on of a machine that panics succeeded:\n%s", out)
	}
	answer, err := send(t, b, http.MethodPost, resetPath, `{"ResetType":"On"}`, nil)
	if err != nil || answer.StatusCode != http.StatusInternalServerError {
		t.Errorf("reset of a machine that panics: %v, %v; want 500", answer, err)
	}
	for _, protocol := range []string{vbmc.ProtocolIPMI, vbmc.ProtocolRedfish} {
		if len(b.log.Find(protocol, vbmc.VerbPanic)) == 0 {
			t.Errorf("the journal has no contained panic of %s", protocol)
		}
	}
	wantText(t, b.ipmitool(t, "chassis", "power", "status"), "Chassis Power is off")
}

func TestThousandBMCs(t *testing.T) {
	const count = 1000
	before := runtime.NumGoroutine()
	servers := make([]bmcUnderTest, count)
	for n := range servers {
		servers[n] = start(t, nil)
	}
	if each := (runtime.NumGoroutine() - before) / count; each > 8 {
		t.Errorf("a BMC at rest has %d goroutines", each)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	pong := make([]byte, 64)
	for n, b := range servers {
		to, err := net.ResolveUDPAddr("udp", b.IPMIAddr())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.WriteTo(presencePing(), to); err != nil {
			t.Fatal(err)
		}
		if _, from, err := conn.ReadFrom(pong); err != nil || from.String() != to.String() {
			t.Fatalf("BMC %d: pong from %v, %v", n, from, err)
		}
	}
	servers[count/2].ipmitool(t, "chassis", "power", "on")
	if on := slices.IndexFunc(servers, func(b bmcUnderTest) bool { on, _ := b.machine.Power(t.Context()); return on }); on != count/2 {
		t.Errorf("machine %d is on, want %d", on, count/2)
	}
}

func TestAddresses(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, func(s *vbmc.Server) { s.IPMIConn, s.RedfishListener = conn, listener })
	if b.IPMIAddr() != conn.LocalAddr().String() || b.RedfishURL() != "http://"+listener.Addr().String() {
		t.Errorf("addresses %s and %s", b.IPMIAddr(), b.RedfishURL())
	}
	second := vbmc.Server{Machine: &machine{}, Username: "a", IPMIListen: b.IPMIAddr()}
	if err := second.Listen(); err == nil || !strings.Contains(err.Error(), b.IPMIAddr()) {
		t.Errorf("a second BMC on the same address: %v", err)
	}
	for _, wrong := range []*vbmc.Server{
		{Username: "a"},
		{Machine: &machine{}},
		{Machine: &machine{}, Username: strings.Repeat("a", 17)},
		{Machine: &machine{}, Username: "a", Password: strings.Repeat("b", 21)},
		{Machine: &machine{}, Username: "a", Users: []vbmc.User{{Name: "a"}}},
	} {
		if err := wrong.Listen(); err == nil || !strings.HasPrefix(err.Error(), "cannot ") {
			t.Errorf("a server with wrong fields: %v", err)
		}
	}
}

func TestJournalLines(t *testing.T) {
	var lines bytes.Buffer
	log := &vbmc.Log{Writer: &lines, Keep: 1}
	log.Record(vbmc.Entry{Protocol: vbmc.ProtocolIPMI, Verb: vbmc.VerbPower, Argument: "on", Outcome: vbmc.OutcomeOK})
	log.Record(vbmc.Entry{Protocol: vbmc.ProtocolMachine, Verb: vbmc.VerbStart, Argument: "none", Outcome: vbmc.OutcomeOK, ReplyLost: true})
	if got := log.Entries(); len(got) != 1 || got[0].Verb != vbmc.VerbStart {
		t.Errorf("in memory: %v", got)
	}
	var read []vbmc.Entry
	for line := range strings.Lines(lines.String()) {
		var e vbmc.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		read = append(read, e)
	}
	if len(read) != 2 || read[0].Argument != "on" || !read[1].ReplyLost {
		t.Errorf("written: %s", lines.String())
	}
}
