package vbmc

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Privilege is what a user may do. Its numbers are IPMI's (table 22-15).
type Privilege uint8

// Privileges, each including those before it. Redfish shows them as the roles
// ReadOnly, Operator and Administrator.
const (
	// PrivilegeUser may look.
	PrivilegeUser Privilege = 2
	// PrivilegeOperator may also change power, boot and media.
	PrivilegeOperator Privilege = 3
	// PrivilegeAdministrator may do everything.
	PrivilegeAdministrator Privilege = 4
)

// User is one login.
type User struct {
	// Name has 1 to 16 bytes.
	Name string
	// Password has at most 20 bytes, IPMI 2.0's limit (section 22.30).
	Password string
	// Privilege is the highest one; 0 means administrator.
	Privilege Privilege
}

// Server is one virtual BMC. Fill in the fields, optionally call
// [Server.Listen], then Run. Do not change fields or copy it afterwards.
type Server struct {
	// Machine is what is controlled; required.
	Machine Machine

	// IPMIListen is the UDP address for IPMI, "127.0.0.1:0" for a free port;
	// "" serves no IPMI. IPMIConn is used instead when given, and closed.
	IPMIListen string
	IPMIConn   net.PacketConn
	// RedfishListen is the TCP address for Redfish; "" serves none.
	// RedfishListener is used instead when given, and closed.
	RedfishListen   string
	RedfishListener net.Listener
	// TLS holds the certificate for HTTPS; nil serves plain HTTP.
	TLS *tls.Config

	// Username and Password are the administrator's login, with the limits
	// of [User]. Users are further logins.
	Username, Password string
	Users              []User
	// Sessions bounds the IPMI and the Redfish sessions, each; 0 means 16.
	Sessions int

	// BootTimeout drops an IPMI boot override that no chassis control command
	// followed in this time, as the specification's 60 s (section 28.13,
	// parameter 3), unless the client switched that off. 0 never drops.
	BootTimeout time.Duration

	// Kept is the boot override to begin with. KeepBoot, when set, is told every
	// change of it, so that it outlives the process; it is called under a lock.
	Kept     Boot
	KeepBoot func(Boot)

	// Journal gets every command; nil keeps none.
	Journal Journal
	// Logger gets refusals and contained crashes; nil discards.
	Logger *slog.Logger
	// Now is the clock of journal, SEL and boot timeout; nil is time.Now.
	Now func() time.Time
	// Faults are changed while the server runs.
	Faults Faults

	mu      sync.Mutex
	ready   bool
	control control
	device  Description
	ipmi    *ipmiServer
	redfish *redfishServer
}

// IPMIAddr is the bound UDP address, host:port; "" before Listen or without IPMI.
func (s *Server) IPMIAddr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.IPMIConn == nil {
		return ""
	}
	return s.IPMIConn.LocalAddr().String()
}

// RedfishURL is the service's address, "https://host:port"; "" before Listen
// or without Redfish.
func (s *Server) RedfishURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.RedfishListener == nil {
		return ""
	}
	scheme := "http"
	if s.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + s.RedfishListener.Addr().String()
}

// Run serves until ctx ends, then closes the sockets, waits for commands under
// way and returns nil. It can be called once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if s.IPMIConn != nil {
		group.Go(func() error { return s.ipmi.serve(ctx) })
	}
	if s.RedfishListener != nil {
		group.Go(func() error { return s.redfish.serve(ctx) })
	}
	group.Go(func() error {
		<-ctx.Done()
		if s.IPMIConn != nil {
			s.ipmi.close()
		}
		if s.RedfishListener != nil {
			s.redfish.close()
		}
		return nil
	})
	return group.Wait()
}

// Boot is the boot override that the next start would use.
func (s *Server) Boot() Boot { return s.control.override() }

// TakeBoot is for a machine whose firmware starts without a command, as after
// a reboot by its operating system: it returns the boot override and uses up a
// one-time one, and leaves a journal entry.
func (s *Server) TakeBoot() Boot { return s.control.takeBoot() }

// journal records e wherever it is wanted.
func (s *Server) journal(e Entry) {
	if s.Journal != nil {
		s.Journal.Record(e)
	}
	s.Logger.Debug("BMC command", "protocol", e.Protocol, "verb", e.Verb, "argument", e.Argument,
		"outcome", e.Outcome, "remote", e.Remote)
}
