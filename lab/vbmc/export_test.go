package vbmc

import (
	"context"
	"net"
	"net/http"

	"github.com/bougou/go-ipmi/pkg/bmc"
)

// HandleIPMI handles one packet as if it had come over the network, at once.
func (s *Server) HandleIPMI(data []byte) []byte {
	return s.ipmi.reply(context.Background(), packet{from: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, data: data})
}

// HandleCommand handles one IPMI request message of an administrator's session.
func (s *Server) HandleCommand(message []byte) []byte {
	session := &bmc.Session{
		State: bmc.SessionStateActive, Channel: lanChannel,
		PrivilegeLevel: bmc.PrivilegeLevelAdministrator, MaxPrivilege: bmc.PrivilegeLevelAdministrator,
	}
	return s.ipmi.message(context.Background(), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, session, message)
}

// RedfishHandler is the Redfish side without its listener.
func (s *Server) RedfishHandler() http.Handler { return s.redfish }
