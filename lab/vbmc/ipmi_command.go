package vbmc

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/handlers"
	"github.com/bougou/go-ipmi/pkg/protocol"
	"github.com/bougou/go-ipmi/pkg/types"
)

// commandKey names an IPMI command by its request network function and number.
type commandKey struct{ netFn, id uint8 }

// Network functions of requests (IPMI table 5-1).
const (
	netFnChassis = 0x00
	netFnSensor  = 0x04
	netFnApp     = 0x06
	netFnStorage = 0x0a
)

// command is one IPMI command that is answered here and not by go-ipmi.
type command struct {
	name      string
	privilege Privilege // 0: also outside a session
	changes   bool
	minBytes  int
	do        func(ctx context.Context, data []byte) ([]byte, error)
}

// ownCommands are the commands that go-ipmi lacks or answers too simply: its
// Cold Reset resets the host, its boot options are not refused to users, and
// it has no SEL, sensors or diagnostic interrupt.
func (i *ipmiServer) ownCommands() map[commandKey]command {
	return map[commandKey]command{
		{netFnChassis, 0x01}: {"Get Chassis Status", PrivilegeUser, false, 0, i.chassisStatus},
		{netFnChassis, 0x02}: {"Chassis Control", PrivilegeOperator, true, 1, i.chassisControl},
		{netFnChassis, 0x04}: {"Chassis Identify", PrivilegeOperator, true, 0, i.chassisIdentify},
		{netFnChassis, 0x07}: {"Get System Restart Cause", PrivilegeUser, false, 0, i.restartCause},
		{netFnChassis, 0x08}: {"Set System Boot Options", PrivilegeOperator, true, 1, i.setBootOptions},
		{netFnChassis, 0x09}: {"Get System Boot Options", PrivilegeOperator, false, 1, i.getBootOptions},

		{netFnApp, 0x02}: {"Cold Reset", PrivilegeAdministrator, true, 0, i.resetBMC},
		{netFnApp, 0x03}: {"Warm Reset", PrivilegeAdministrator, true, 0, i.resetBMC},
		{netFnApp, 0x37}: {"Get System GUID", 0, false, 0, i.systemGUID},

		{netFnSensor, 0x02}: {"Platform Event", PrivilegeOperator, true, 7, i.platformEvent},
		{netFnSensor, 0x2d}: {"Get Sensor Reading", PrivilegeUser, false, 1, i.sensorReading},
		{netFnSensor, 0x27}: {"Get Sensor Thresholds", PrivilegeUser, false, 1, i.sensorThresholds},

		{netFnStorage, 0x40}: {"Get SEL Info", PrivilegeUser, false, 0, i.selInfo},
		{netFnStorage, 0x42}: {"Reserve SEL", PrivilegeUser, false, 0, i.selReserve},
		{netFnStorage, 0x43}: {"Get SEL Entry", PrivilegeUser, false, 6, i.selEntry},
		{netFnStorage, 0x44}: {"Add SEL Entry", PrivilegeOperator, true, 16, i.selAdd},
		{netFnStorage, 0x46}: {"Delete SEL Entry", PrivilegeOperator, true, 4, i.selDelete},
		{netFnStorage, 0x47}: {"Clear SEL", PrivilegeOperator, true, 6, i.selClear},
		{netFnStorage, 0x48}: {"Get SEL Time", PrivilegeUser, false, 0, i.selTime},
	}
}

// upkeep are the commands that open, describe and close a session.
func upkeep(key commandKey) bool {
	return key.netFn == netFnApp && (key.id == 0x37 || key.id == 0x38 || key.id >= 0x3b && key.id <= 0x3d || key.id == 0x54)
}

// message carries out one IPMI request message and returns the response
// message; session is nil outside a session, and its ProcMu held otherwise.
// nil is no answer.
func (i *ipmiServer) message(ctx context.Context, from net.Addr, session *bmc.Session, request []byte) []byte {
	netFn, id, data, sequence, ok := protocol.ParseIPMIRequest(request)
	if !ok || netFn&1 != 0 {
		return nil
	}
	key := commandKey{netFn, id}
	c := &call{Entry: Entry{Protocol: ProtocolIPMI, Remote: from.String()}}
	if session != nil && session.User != nil {
		c.User = session.User.Name
	}
	var response []byte
	var code types.CompletionCode
	switch {
	case session == nil && !upkeep(key):
		code = types.CodeInsufficientPrivilege
		c.Verb = fmt.Sprintf("netfn 0x%02x command 0x%02x", netFn, id)
	case !upkeep(key) && i.server.Faults.busy():
		code = types.CodeNodeBusy
		c.Verb = i.name(key)
	default:
		response, code = i.dispatch(withCall(ctx, c), session, key, data)
	}
	if c.Outcome == "" {
		c.Outcome = OutcomeOK
		if code != types.CodeOK {
			c.Outcome = fmt.Sprintf("0x%02x %s", uint8(code), code)
		}
	}
	c.ReplyLost = c.changes && code == types.CodeOK && i.server.Faults.losesReply()
	c.Time = i.server.Now()
	i.server.journal(c.Entry)
	if c.ReplyLost {
		return nil
	}
	return protocol.BuildIPMIResponse(netFn, id, sequence, uint8(code), response)
}

// name is the command's name for the journal.
func (i *ipmiServer) name(key commandKey) string {
	if own, ok := i.commands[key]; ok {
		return own.name
	}
	return fmt.Sprintf("netfn 0x%02x command 0x%02x", key.netFn, key.id)
}

// dispatch finds the command's handler, ours before go-ipmi's, and runs it.
func (i *ipmiServer) dispatch(ctx context.Context, session *bmc.Session, key commandKey, data []byte) ([]byte, types.CompletionCode) {
	c := callOf(ctx)
	own, ok := i.commands[key]
	if !ok {
		h := &handlers.HandlerContext{BMC: i.bmc, Session: session}
		if session != nil {
			h.User = session.User
			// An unknown channel leaves nil, which the handlers expect.
			h.Channel, _ = i.bmc.Channels.Get(session.Channel)
		}
		response, code, err := i.registry.Dispatch(ctx, h, key.netFn, key.id, data)
		c.Verb = i.name(key)
		if h.Command.Name != "" {
			c.Verb = h.Command.Name
		}
		if code != types.CodeInvalidCommand {
			i.warn("cannot answer IPMI command "+c.Verb, err)
		}
		return response, code
	}
	c.Verb, c.changes = own.name, own.changes
	if own.privilege > 0 && (session == nil || Privilege(session.PrivilegeLevel) < own.privilege) {
		return nil, types.CodeInsufficientPrivilege
	}
	if len(data) < own.minBytes {
		return nil, types.CodeRequestDataLengthInvalid
	}
	response, err := own.do(ctx, data)
	if err != nil {
		c.Outcome = fmt.Sprintf("0x%02x %s", uint8(codeOf(err)), err)
		return nil, codeOf(err)
	}
	return response, types.CodeOK
}

// codeOf is the completion code for a handler's error.
func codeOf(err error) types.CompletionCode {
	var code types.CompletionCode
	switch {
	case errors.As(err, &code):
		return code
	case errors.Is(err, errWrongState):
		return types.CodeNotSupported // "not supported in present state"
	case errors.Is(err, errUnsupported):
		return types.CodeRequestDataFieldInvalid
	case errors.Is(err, context.DeadlineExceeded):
		return types.CodeProcessTimeout
	}
	return types.CodeUnspecifiedError
}
