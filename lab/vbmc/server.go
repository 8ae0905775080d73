package vbmc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/google/uuid"
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

// defaultSessions is more than most BMCs have (IPMI asks for at least four),
// so that parallel tests do not fail for want of slots.
const defaultSessions = 16

// Listen checks the fields and opens the sockets. After it the addresses are
// known and clients are queued until Run. Calling it again does nothing.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return nil
	}
	if err := s.check(); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	s.ready = true
	return nil
}

// check validates the fields and fills in what was left out.
func (s *Server) check() error {
	if s.Machine == nil {
		return errors.New("cannot start a virtual BMC without a Machine")
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Sessions <= 0 {
		s.Sessions = defaultSessions
	}
	for _, user := range s.logins() {
		if n := len(user.Name); n == 0 || n > 16 {
			return fmt.Errorf("cannot use BMC user name %q: it must have 1 to 16 bytes", user.Name)
		}
		if len(user.Password) > 20 {
			return fmt.Errorf("cannot use the password of BMC user %q: IPMI allows at most 20 bytes", user.Name)
		}
	}
	s.device = describe(s.Machine)
	s.control.machine, s.control.record = s.Machine, s.journal
	s.control.now, s.control.timeout = s.Now, s.BootTimeout
	return nil
}

// logins are all users, the administrator first.
func (s *Server) logins() []User {
	users := append([]User{{Name: s.Username, Password: s.Password}}, s.Users...)
	for i := range users {
		if users[i].Privilege == 0 {
			users[i].Privilege = PrivilegeAdministrator
		}
	}
	return users
}

func (s *Server) open() error {
	if s.IPMIConn == nil && s.IPMIListen != "" {
		conn, err := net.ListenPacket("udp", s.IPMIListen)
		if err != nil {
			return fmt.Errorf("cannot listen for IPMI: %w", err)
		}
		s.IPMIConn = conn
	}
	if s.RedfishListener == nil && s.RedfishListen != "" {
		listener, err := net.Listen("tcp", s.RedfishListen)
		if err != nil {
			if s.IPMIConn != nil {
				err = errors.Join(err, s.IPMIConn.Close())
			}
			return fmt.Errorf("cannot listen for Redfish: %w", err)
		}
		s.RedfishListener = listener
	}
	// The user database is IPMI's, so that a password changed there holds for
	// Redfish too: the IPMI half exists even when it has no socket.
	ipmi, err := newIPMIServer(s)
	if err != nil {
		return err
	}
	s.ipmi, s.redfish = ipmi, newRedfishServer(s)
	return nil
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

// describe asks the machine what it is and fills the gaps.
func describe(m Machine) Description {
	var d Description
	if describer, ok := m.(Describer); ok {
		d = describer.Describe()
	}
	if d.Manufacturer == "" {
		d.Manufacturer = "Ingot"
	}
	if d.Model == "" {
		d.Model = "Virtual machine"
	}
	if d.UUID == uuid.Nil {
		d.UUID = uuid.New()
	}
	if d.Serial == "" {
		d.Serial = d.UUID.String()
	}
	return d
}
