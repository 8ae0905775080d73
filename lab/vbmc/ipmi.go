package vbmc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/handlers"
	"github.com/bougou/go-ipmi/pkg/types"
)

// ipmiServer is the IPMI side of a [Server].
//
// Sessions, cryptography, users, SDR and SOL are go-ipmi's. Its own packet loop
// is not used: it starts a goroutine per packet without a recover, so that one
// packet that breaks a parser ends the whole process, and there is one, see
// validName. Here handle is the boundary: whatever breaks inside it costs that
// one packet.
type ipmiServer struct {
	server   *Server
	conn     net.PacketConn
	bmc      *bmc.BMC
	registry *handlers.Registry
	commands map[commandKey]command
	flags    bootOptions
	sel      eventLog
}

const (
	// maxPacket is far above any RMCP+ packet; a longer one is cut and then
	// fails its length checks.
	maxPacket = 2048
	// maxInFlight bounds the packets handled at once. More are dropped, and
	// the client sends them again, as with any UDP loss.
	maxInFlight = 64
	// lanChannel is the channel number of the network, go-ipmi's fixed choice.
	lanChannel = 1
)

func newIPMIServer(s *Server) (*ipmiServer, error) {
	i := &ipmiServer{server: s, conn: s.IPMIConn, sel: newEventLog(s.Now)}
	i.bmc = bmc.New(deviceInfo(), ipmiGUID(s.device.UUID), &hardware{server: s},
		bmc.WithV15Disabled(), bmc.WithCipherSuites([]types.CipherSuiteID{types.CipherSuiteID3, types.CipherSuiteID17}))
	i.bmc.Sessions = bmc.NewSessionStoreWithOptions(i.bmc.Clock(), bmc.WithMaxSessions(s.Sessions))
	i.bmc.Sessions.SetOnRemove(i.bmc.SOL.DeactivateBySession)
	i.bmc.SOL.SetSenderFactory(i.solSender)
	if i.conn != nil {
		if addr, ok := i.conn.LocalAddr().(*net.UDPAddr); ok {
			i.bmc.SOL.Config().PayloadPort = uint16(addr.Port)
		}
	}
	for n, login := range s.logins() {
		user, err := i.bmc.Users.Add(uint8(n+2), login.Name) // slot 1 is the nameless user
		if err != nil {
			return nil, fmt.Errorf("cannot add BMC user %q: %w", login.Name, err)
		}
		user.SetPassword([]byte(login.Password))
		user.Enabled = true
		user.ChannelAccess[lanChannel] = bmc.UserChannelAccess{
			MaxPrivilege: bmc.PrivilegeLevel(login.Privilege), Enabled: true,
		}
	}
	i.registry = handlers.NewRegistry()
	handlers.RegisterAllHandlers(i.registry)
	i.commands = i.ownCommands()
	return i, nil
}

// serve reads packets until the socket is closed. Serial over LAN keeps the
// order of its packets, so one goroutine handles them all.
func (i *ipmiServer) serve(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	slots := make(chan struct{}, maxInFlight)
	sol := make(chan packet, maxInFlight)
	defer close(sol)
	work.Go(func() {
		for p := range sol {
			i.handle(ctx, p)
		}
	})
	buffer := make([]byte, maxPacket)
	for {
		n, from, err := i.conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read IPMI packets: %w", err)
		}
		if i.server.Faults.dropped() {
			continue
		}
		p := packet{from: from, data: bytes.Clone(buffer[:n])}
		if p.isSOL() {
			select {
			case sol <- p:
			default:
			}
			continue
		}
		select {
		case slots <- struct{}{}:
			work.Go(func() {
				defer func() { <-slots }()
				i.handle(ctx, p)
			})
		default:
		}
	}
}

// close ends serve and a serial console.
func (i *ipmiServer) close() {
	i.bmc.SOL.CloseAll()
	if err := i.conn.Close(); err != nil {
		i.server.Logger.Warn("cannot close IPMI socket", "error", err)
	}
}

// handle answers one packet, and survives it.
func (i *ipmiServer) handle(ctx context.Context, p packet) {
	defer func() {
		if cause := recover(); cause != nil {
			i.server.Logger.Error("IPMI packet dropped: it broke a parser", "remote", p.from.String(),
				"cause", cause, "stack", string(debug.Stack()))
			i.server.journal(Entry{
				Time: i.server.Now(), Protocol: ProtocolIPMI, Verb: VerbPanic,
				Outcome: fmt.Sprint("contained: ", cause), Remote: p.from.String(),
			})
		}
	}()
	reply := i.reply(ctx, p)
	if reply == nil {
		return
	}
	i.server.Faults.wait(ctx)
	if _, err := i.conn.WriteTo(reply, p.from); err != nil && !errors.Is(err, net.ErrClosed) {
		i.server.Logger.Warn("cannot send IPMI reply", "remote", p.from.String(), "error", err)
	}
}
