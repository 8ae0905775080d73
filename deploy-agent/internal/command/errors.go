package command

import (
	"errors"
	"fmt"

	ingot "github.com/ingot-metal/ingot"
)

// Fail makes an error of ironic-python-agent's class typ, as its errors.py names, codes and words them.
func Fail(typ string, code int, message, format string, args ...any) *ingot.AgentError {
	return &ingot.AgentError{Type: typ, Code: code, Message: message, Details: fmt.Sprintf(format, args...)}
}

// InvalidCommand says that a command does not exist (400).
func InvalidCommand(format string, args ...any) *ingot.AgentError {
	return Fail("InvalidCommandError", 400, "Invalid command", format, args...)
}

// InvalidParams says that a command's parameters are wrong (400).
func InvalidParams(format string, args ...any) *ingot.AgentError {
	return Fail("InvalidCommandParamsError", 400, "Invalid command parameters", format, args...)
}

// NotFound says that there is no such extension or command result (404).
func NotFound(kind, id string) *ingot.AgentError {
	return Fail("RequestedObjectNotFoundError", 404, "Not found", "%s with id %s not found.", kind, id)
}

// Busy says that a command is still running (409). Ironic looks for these words.
func Busy(running string) *ingot.AgentError {
	return Fail("AgentIsBusy", 409, "Agent is busy", "executing command %s", running)
}

// Failed says that a command could not do its work (500).
func Failed(format string, args ...any) *ingot.AgentError {
	return Fail("CommandExecutionError", 500, "Command execution failed", format, args...)
}

// DeviceNotFound says that no disk or partition fits (404).
func DeviceNotFound(format string, args ...any) *ingot.AgentError {
	return Fail("DeviceNotFound", 404, "Error finding the disk or partition device to deploy the image onto", format, args...)
}

// Fault is the text of e as it stands in an HTTP error body.
func Fault(e *ingot.AgentError) string { return e.Message + ": " + e.Details }

// asAgentError is err as it is shown to Ironic: what is not one of the agent's own errors failed in execution.
func asAgentError(err error) *ingot.AgentError {
	var e *ingot.AgentError
	if errors.As(err, &e) {
		return e
	}
	return Failed("%s", err)
}
