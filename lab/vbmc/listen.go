package vbmc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/google/uuid"
)

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
	s.control.boot, s.control.keepBoot = s.Kept, s.KeepBoot
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
