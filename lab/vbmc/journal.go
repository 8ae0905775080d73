package vbmc

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Journal takes one entry per command received, in the order in which the
// commands ended and before their reply is sent. Record must be safe for
// concurrent use and must not block for long.
type Journal interface {
	Record(Entry)
}

// Protocols of an [Entry].
const (
	// ProtocolIPMI and ProtocolRedfish are commands that a client sent.
	ProtocolIPMI    = "ipmi"
	ProtocolRedfish = "redfish"
	// ProtocolMachine marks what the server did to the machine.
	ProtocolMachine = "machine"
)

// Verbs that mean the same in both protocols. Other commands carry the name of
// the IPMI command, or the HTTP method with the path as argument.
const (
	VerbPower      = "power"       // argument: on, off, cycle, reset, shutdown, nmi, button
	VerbPowerState = "power-state" // IPMI Get Chassis Status
	VerbBootDevice = "boot-device" // argument: Boot.String()
	VerbLogin      = "login"       // argument: user name
	// VerbLoginStart is RAKP message 1. With a wrong password most clients
	// stop there, because the BMC's reply shows it, and no login follows.
	VerbLoginStart  = "login-start"
	VerbMediaInsert = "media-insert" // argument: the image's URL
	VerbMediaEject  = "media-eject"
	VerbSELClear    = "sel-clear"
	VerbSecureBoot  = "secure-boot" // argument: true or false
	VerbBIOS        = "bios"        // argument: the attributes, or reset
	VerbIndicator   = "indicator"   // argument: Lit, Blinking or Off
	// VerbPanic is a packet that broke a parser; the packet was dropped.
	VerbPanic = "panic"
)

// Verbs of [ProtocolMachine].
const (
	VerbStart    = "start"    // argument: what the firmware was told to boot
	VerbReset    = "reset"    // argument: as for start
	VerbStop     = "stop"     // power was cut
	VerbShutdown = "shutdown" // the operating system was asked
	VerbNMI      = "nmi"
	VerbSelfBoot = "self-boot" // the machine booted by itself, see Server.TakeBoot
)

// Outcomes that tests compare. Any other outcome names an error in words,
// with the IPMI completion code or the HTTP status first.
const (
	// OutcomeOK is a command that was carried out.
	OutcomeOK = "ok"
	// OutcomeUnchanged is a command whose fact held already.
	OutcomeUnchanged = "unchanged"
)

// Entry is one line of the journal.
type Entry struct {
	Time     time.Time `json:"time"`
	Protocol string    `json:"protocol"`
	Verb     string    `json:"verb"`
	Argument string    `json:"argument,omitempty"`
	Outcome  string    `json:"outcome"`
	// Remote is the client's host:port, empty for ProtocolMachine.
	Remote string `json:"remote,omitempty"`
	// User is the client's login name, where there was one.
	User string `json:"user,omitempty"`
	// ReplyLost says that a fault swallowed the reply to work that was done.
	ReplyLost bool `json:"reply_lost,omitempty"`
}

// String is e without its time, for test failures.
func (e Entry) String() string {
	return fmt.Sprintf("%s %s %q: %s", e.Protocol, e.Verb, e.Argument, e.Outcome)
}

// Log is a [Journal] in memory that also writes JSON lines, one [Entry] each.
// The zero value works. It only ever appends.
type Log struct {
	// Writer gets each entry as a line of JSON; nil keeps memory only. It is
	// called by one goroutine at a time.
	Writer io.Writer
	// Keep bounds the entries in memory to the newest; 0 keeps all.
	Keep int

	mu      sync.Mutex
	entries []Entry
	err     error
}

// Record appends e.
func (l *Log) Record(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	if l.Keep > 0 && len(l.entries) >= 2*l.Keep {
		l.entries = append([]Entry(nil), l.newestLocked()...)
	}
	if l.Writer == nil || l.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.Writer.Write(append(line, '\n'))
	}
	if err != nil {
		l.err = fmt.Errorf("cannot write BMC journal: %w", err)
	}
}

// Entries returns a copy of what is in memory, oldest first.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Entry(nil), l.newestLocked()...)
}

// newestLocked is what Keep allows; a few more are kept until it pays to drop
// them.
func (l *Log) newestLocked() []Entry {
	if over := len(l.entries) - l.Keep; l.Keep > 0 && over > 0 {
		return l.entries[over:]
	}
	return l.entries
}

// Find returns the entries of one protocol and verb, oldest first.
func (l *Log) Find(protocol, verb string) []Entry {
	var found []Entry
	for _, e := range l.Entries() {
		if e.Protocol == protocol && e.Verb == verb {
			found = append(found, e)
		}
	}
	return found
}

// Err returns the first failure to write; nothing is written after it.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
