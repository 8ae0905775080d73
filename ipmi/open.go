package ipmi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/bougou/go-ipmi/pkg/client"
	"github.com/bougou/go-ipmi/pkg/command/app"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// Open starts a session (bmclib's Opener). It costs four round trips where the cipher suite is known, and a question
// more with a BMC that is met for the first time.
func (n *native) Open(ctx context.Context) error {
	return n.note(contained(func() error { return n.open(ctx) }))
}

func (n *native) open(ctx context.Context) error {
	wire, err := dial(ctx, net.JoinHostPort(n.set.host, strconv.Itoa(n.set.port)), n.set.username, n.set.password.Reveal())
	if err != nil {
		return err
	}
	// go-ipmi waits in goroutines that outlive a cancelled call: hanging up ends them at once.
	defer context.AfterFunc(ctx, wire.hangUp)()
	c, err := n.handshake(ctx, wire)
	if err != nil {
		_ = wire.Close() // no session to end
		return err
	}
	n.client, n.wire = c, wire
	return nil
}

// handshake finds a cipher suite and logs in with it.
func (n *native) handshake(ctx context.Context, wire *wire) (*client.Client, error) {
	c, err := client.NewClient(n.set.host, n.set.port, n.set.username, n.set.password.Reveal())
	if err != nil {
		return nil, err
	}
	c.WithUDPProxy(wire).WithTimeout(n.opt.Timeout).WithMaxPrivilegeLevel(n.set.level)
	tries, err := n.choose(ctx, c, wire)
	if err != nil {
		return nil, err
	}
	c.WithRetry(n.opt.Attempts - 1)
	for i, id := range tries {
		c.WithCipherSuiteID(id)
		err = login(ctx, c, wire, id)
		if err == nil {
			n.opt.Suites.keep(n.Address(), id)
			return c, nil
		}
		if !suiteRefused(err) || i == len(tries)-1 {
			break
		}
	}
	if suiteRefused(err) {
		n.opt.Suites.forget(n.Address())
	}
	return nil, err
}

// choose gives the suites to try: the one that driver_info or memory names, or what the BMC says that it has. BMCs
// that do not say (ipmi_sim, many before 2010) are tried with both.
func (n *native) choose(ctx context.Context, c *client.Client, wire *wire) ([]types.CipherSuiteID, error) {
	if n.set.suite != types.CipherSuiteIDReserved {
		return []types.CipherSuiteID{n.set.suite}, nil
	}
	if id, ok := n.opt.Suites.get(n.Address()); ok {
		return []types.CipherSuiteID{id}, nil
	}
	if err := n.hello(ctx, wire); err != nil {
		return nil, err
	}
	records, err := c.WithRetry(0).GetAllChannelCipherSuites(ctx, types.ChannelNumberSelf)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil || len(records) == 0 {
		return suites[:], nil
	}
	var both []types.CipherSuiteID
	for _, id := range suites {
		if slices.ContainsFunc(records, func(r types.CipherSuiteRecord) bool {
			return r.StartOfRecord == types.StandardCipherSuite && r.CipherSuitID == id
		}) {
			both = append(both, id)
		}
	}
	if len(both) == 0 {
		return nil, ingot.Errorf(ingot.Unsupported, "cannot log in to BMC %s: it offers neither cipher suite 17 nor 3: switch one on in its settings", n.Address())
	}
	return both, nil
}

// login opens a session with one suite (IPMI 2.0 section 13.15) and raises it to the privilege level asked for.
func login(ctx context.Context, c *client.Client, wire *wire, id types.CipherSuiteID) error {
	if _, err := c.OpenSession(ctx); err != nil {
		return fmt.Errorf("RMCP+ Open Session with cipher suite %d: %w", id, err)
	}
	if !wire.shake.is(id) {
		return fmt.Errorf("RMCP+ Open Session with cipher suite %d: %w", id, errOtherSuite)
	}
	if _, err := c.RAKPMessage1(ctx); err != nil {
		return fmt.Errorf("RAKP message 1 with cipher suite %d: %w", id, err)
	}
	if _, err := c.RAKPMessage3(ctx); err != nil {
		return fmt.Errorf("RAKP message 3 with cipher suite %d: %w", id, err)
	}
	if _, err := c.SetSessionPrivilegeLevel(ctx, c.SessionPrivilegeLevel()); err != nil {
		return fmt.Errorf("Set Session Privilege Level: %w", err)
	}
	return nil
}

// errOtherSuite is a BMC, or somebody in its place, that would go on with other algorithms than those asked for.
var errOtherSuite = errors.New("the BMC answers with algorithms of another suite")

// suiteRefused says whether a BMC turned the cipher suite down, and not the login (section 13.24).
func suiteRefused(err error) bool {
	if errors.Is(err, errOtherSuite) {
		return true
	}
	var status *types.RmcpStatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.StatusCode() {
	case types.RmcpStatusCodeInvalidAuthAlg, types.RmcpStatusCodeInvalidIntegrityAlg, types.RmcpStatusCodeNoMatchingAuthPayload,
		types.RmcpStatusCodeNoMatchingIntegrityPayload, types.RmcpStatusCodeInvalidConfidentAlg, types.RmcpStatusCodeNoCipherSuiteMatch,
		types.RmcpStatusCodeIllegalParameter:
		return true
	}
	return false
}

// hello asks a BMC for its authentication capabilities (section 22.13), in IPMI 1.5's framing, as every client does
// first: some BMCs do not answer it in another. It tells a BMC without IPMI 2.0 from one that is down.
func (n *native) hello(ctx context.Context, wire *wire) error {
	question := &types.IPMIRequest{
		ResponderAddr: types.BMC_SA, RequesterAddr: types.RemoteConsole_SWID, RequesterSequence: 1,
		NetFn: types.NetFnAppRequest, Command: types.CommandGetChannelAuthCapabilities.ID,
		CommandData: (&app.GetChannelAuthenticationCapabilitiesRequest{
			IPMIv20Extended: true, ChannelNumber: types.ChannelNumberSelf, MaximumPrivilegeLevel: n.set.level,
		}).Pack(),
	}
	question.ComputeChecksum()
	body := question.Pack()
	datagram := (&types.Rmcp{RmcpHeader: types.NewRmcpHeader(), Session15: &types.Session15{
		SessionHeader15: &types.SessionHeader15{AuthType: types.AuthTypeNone, PayloadLength: uint8(len(body))}, Payload: body,
	}}).Pack()
	answer, err := n.exchange(ctx, wire, datagram)
	if err != nil {
		return fmt.Errorf("Get Channel Authentication Capabilities: %w", err)
	}
	var able app.GetChannelAuthenticationCapabilitiesResponse
	if answer.CompletionCode != 0 {
		return nil // it lives; the login will tell
	}
	if err := able.Unpack(answer.Data); err == nil && !(able.IPMIv20ExtendedAvailable && able.SupportIPMIv20) {
		return ingot.Errorf(ingot.Unsupported, "cannot log in to BMC %s: it speaks IPMI 1.5 only", n.Address())
	}
	return nil
}

// exchange sends a datagram outside of a session until it is answered, as often as Attempts says.
func (n *native) exchange(ctx context.Context, wire *wire, datagram []byte) (types.IPMIResponse, error) {
	var answer types.IPMIResponse
	buffer := make([]byte, client.DefaultBufferSize)
	for range n.opt.Attempts {
		if _, err := wire.Write(datagram); err != nil {
			return answer, err
		}
		if err := wire.SetReadDeadline(time.Now().Add(n.opt.Timeout)); err != nil {
			return answer, err
		}
		size, err := wire.Read(buffer)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() && ctx.Err() == nil {
			continue
		}
		if ctx.Err() != nil {
			return answer, ctx.Err()
		}
		if err != nil {
			return answer, err
		}
		packet := &types.Rmcp{}
		if err := packet.Unpack(buffer[:size]); err != nil {
			return answer, err
		}
		return answer, answer.Unpack(packet.Session15.Payload)
	}
	return answer, fmt.Errorf("no answer to %d datagrams", n.opt.Attempts)
}
