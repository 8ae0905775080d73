package chaos

import (
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/sim"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// Record is what everybody around Ingot wrote down during a run. All times are of one machine's clock.
type Record struct {
	Machines []Machine
	Requests []Request     // in the order in which they were sent
	Reads    []Read        // in the order in which they were asked
	Events   []ingot.Event // as they were heard
	Again    []ingot.Event // the whole stream, read once more in the end
	Grants   []Grant
	Offers   []Offer
	// Takeovers are those that were measured.
	Takeovers []Takeover
	// Ended is when the record was closed, after everything had come to rest or the time for that was over.
	Ended time.Time
}

// Machine is one server: what was seen of it from outside, and what the API says of its node in the end.
type Machine struct {
	Node     string // UUID
	Name     string
	BMC      string // as leases name it; "" is a machine of which nothing was seen from outside
	On       bool
	Disk     string // checksum of the image that the disk holds whole; "" is none of them
	Boots    []sim.Boot
	Cuts     []time.Time // when somebody pulled its plug
	BMCLog   []vbmc.Entry
	Commands []sim.Command
	Shown    []Shown // as each API shows the node in the end
}

// Shown is a node as one API shows it.
type Shown struct {
	State  ingot.State
	Target ingot.State
	Power  ingot.PowerState
	Fault  ingot.Fault
}

// Request is something that a client asked for, and the answer.
type Request struct {
	Node   string
	Verb   string // a verb of provisioning, or "power " and the target
	Image  string // checksum of the image that a deploy is to write
	Sent   time.Time
	Ended  time.Time // of the answer, or of the waiting for one
	Answer Answer
	Said   string // the sentence of a refusal
}

// Answer is what a client knows of its request.
type Answer string

// The answers.
const (
	Accepted Answer = "accepted"
	Refused  Answer = "refused" // for a reason of the request's own: nothing was begun
	Unknown  Answer = "unknown" // no answer, or one that the service is away: it may have been begun
	Broken   Answer = "broken"  // 500: the service failed itself
)

// power is the target of a request for power.
func (r Request) power() (ingot.PowerTarget, bool) {
	target, ok := strings.CutPrefix(r.Verb, "power ")
	return ingot.PowerTarget(target), ok
}

// Read is a node's state as a client saw it.
type Read struct {
	Node            string
	Asked, Answered time.Time
	State           ingot.State
}

// Grant is a lease on a BMC as the database granted it.
type Grant struct {
	BMC, Owner string
	From       time.Time
	Until      time.Time // its deadline, or when it was given back
}

// Offer is an address that was promised to a machine.
type Offer struct {
	Network, Address, MAC string
	From, Until           time.Time
}
