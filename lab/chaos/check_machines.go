package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/sim"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// writes: an agent command with an ID is carried out once, and only for an operation that has not ended.
func writes(s *story) []Violation {
	var found []Violation
	first := map[string]sim.Command{}
	ended := map[string]ingot.Event{}
	for _, e := range s.events {
		if e.Type == "operation.ended" {
			ended[text(e, "operation")] = e
		}
	}
	for _, c := range s.Commands {
		if c.ID == "" {
			continue
		}
		if before, twice := first[c.ID]; twice {
			found = append(found, s.violation(WrittenTwice, "%s under %s at %s (boot %d) and at %s (boot %d)", c.Name, c.ID, clock(before.At), before.Boot, clock(c.At), c.Boot))
		}
		first[c.ID] = c
		operation, _, _ := strings.Cut(c.ID, "/")
		if over, is := ended[operation]; is && c.At.After(over.At.Add(slack)) {
			found = append(found, s.violation(Late, "%s under %s at %s; it had ended %s at %s", c.Name, c.ID, clock(c.At), text(over, "outcome"), clock(over.At)))
		}
	}
	return found
}

// leased: every command that the BMC got came under a lease on it, and one session's all under one owner's.
func leased(s *story) []Violation {
	grants := slices.SortedFunc(slices.Values(s.grants), func(a, b Grant) int { return a.From.Compare(b.From) })
	var found []Violation
	sessions := map[string]session{}
	for _, e := range s.BMCLog {
		if e.Protocol == vbmc.ProtocolMachine {
			continue
		}
		owners := ownersAt(grants, e.Time)
		if len(owners) == 0 {
			found = append(found, s.violation(Unleased, "%s at %s from %s; %s", e, clock(e.Time), e.Remote, nearest(grants, e.Time)))
			continue
		}
		before, known := sessions[e.Remote]
		if known && !before.endsWith(e) && e.Time.Sub(before.last) < sessionLife {
			owners = slices.DeleteFunc(owners, func(o string) bool { return !slices.Contains(before.owners, o) })
			if len(owners) == 0 {
				found = append(found, s.violation(Unleased, "%s at %s from %s, whose session began under %v; %s", e, clock(e.Time), e.Remote, before.owners, nearest(grants, e.Time)))
				owners = before.owners
			}
		}
		sessions[e.Remote] = session{owners: owners, last: e.Time, begun: e.Verb == vbmc.VerbLoginStart || !opens(e) && before.begun}
	}
	return found
}

// session is what came from one port of a conductor's.
type session struct {
	owners []string // who it can belong to
	last   time.Time
	begun  bool // and is past its login's start
}

// endsWith says whether another session begins with this: ports come back, also within seconds and to other processes. A
// client that remembers the BMC's cipher suite asks nothing before its login.
func (s session) endsWith(e vbmc.Entry) bool {
	return opens(e) || s.begun && e.Verb == vbmc.VerbLoginStart
}

// sessionLife is how long a silent port is taken to be the same session's: exchanges are shorter.
const sessionLife = 30 * time.Second

// opens says whether this is what a client asks before its session.
func opens(e vbmc.Entry) bool {
	return e.Verb == "Get Channel Authentication Capabilities" || e.Verb == "GET" && e.Argument == "/redfish/v1/"
}

func ownersAt(grants []Grant, at time.Time) []string {
	var owners []string
	for _, g := range grants {
		if !at.Before(g.From) && !at.After(g.Until) && !slices.Contains(owners, g.Owner) {
			owners = append(owners, g.Owner)
		}
	}
	return owners
}

func nearest(grants []Grant, at time.Time) string {
	var around []string
	for _, g := range grants {
		if g.From.Before(at.Add(5*time.Second)) && g.Until.After(at.Add(-30*time.Second)) {
			around = append(around, fmt.Sprintf("%s %s to %s", g.Owner, clock(g.From), clock(g.Until)))
		}
	}
	return "leases around then: " + strings.Join(around, ", ")
}

// wanted is what an operation that ended well leaves.
type wanted struct {
	why   string
	on    bool
	boot  string // what runs; "" does not matter
	image string // what the disk holds; "" does not matter
}

// physical: the machine is as the last operation that ended says, and its node says so too.
func physical(s *story) []Violation {
	var found []Violation
	for _, shown := range s.Shown {
		if (shown.Power == ingot.PowerOn) != s.On && shown.Fault != ingot.FaultPower && shown.Power != "" {
			found = append(found, s.violation(NotSo, "the node is shown %q; the machine is on: %t", shown.Power, s.On))
			break
		}
	}
	want, known := s.want()
	if !known {
		return found
	}
	if s.On != want.on {
		found = append(found, s.violation(NotSo, "after %s the machine is on: %t", want.why, s.On))
	}
	if last := s.lastBoot(); want.boot != "" && s.On && last.What != want.boot {
		found = append(found, s.violation(NotSo, "after %s it runs %q, booted at %s", want.why, last.What, clock(last.At)))
	}
	if want.image != "" && s.Disk != want.image {
		found = append(found, s.violation(NotSo, "after %s the disk holds image %q, not %q", want.why, s.Disk, want.image))
	}
	return found
}

func (s *story) lastBoot() sim.Boot {
	if len(s.Boots) == 0 {
		return sim.Boot{}
	}
	return s.Boots[len(s.Boots)-1]
}

// want folds the operations that ended into what the machine must be now; false where the last one failed.
func (s *story) want() (wanted, bool) {
	var want wanted
	known := false
	for i, e := range s.events {
		if e.Type != "operation.ended" {
			continue
		}
		if n := len(s.Cuts); n > 0 && s.Cuts[n-1].After(e.At.Add(-slack)) { // whatever it was told, somebody pulled the plug
			known = false
			continue
		}
		kind, outcome := ingot.Kind(text(e, "kind")), ingot.Outcome(text(e, "outcome"))
		why := fmt.Sprintf("%s (%s at %s)", kind, outcome, clock(e.At))
		if outcome != ingot.Done {
			if outcome != ingot.Replaced {
				known = false
			}
			continue
		}
		switch kind {
		case ingot.KindDeploy, ingot.KindRebuild:
			want, known = wanted{why: why, on: true, boot: "disk", image: s.imageOf(i)}, true
		case ingot.KindDelete, ingot.KindProvide, ingot.KindClean, ingot.KindInspect:
			want, known = wanted{why: why}, true
		case ingot.KindRescue:
			want, known = wanted{why: why, on: true, boot: "ramdisk", image: want.image}, true
		case ingot.KindUnrescue, ingot.KindRestore, ingot.KindService:
			want, known = wanted{why: why, on: true, boot: "disk", image: want.image}, true
		case ingot.KindPower:
			target := s.powerBefore(i)
			want.why = fmt.Sprintf("%s, power %q (done at %s)", cmp.Or(want.why, "nothing"), target, clock(e.At))
			want.on = target != ingot.TargetPowerOff && target != ingot.TargetSoftOff
			if want.boot == "ramdisk" {
				want.boot = "disk"
			}
		}
	}
	return want, known
}

// imageOf is the image that the deploy that ended with the event was asked for.
func (s *story) imageOf(event int) string {
	image := ""
	for _, m := range s.moves {
		if m.event < event && m.request >= 0 && s.requests[m.request].Image != "" {
			image = s.requests[m.request].Image
		}
	}
	return image
}

func (s *story) powerBefore(event int) ingot.PowerTarget {
	var target ingot.PowerTarget
	for _, a := range s.asked {
		if a.event < event {
			target = a.target
		}
	}
	return target
}

// addresses: while an address is one machine's, no other is told it.
func addresses(offers []Offer) []Violation {
	var found []Violation
	for i, a := range offers {
		for _, b := range offers[:i] {
			if a.Network == b.Network && a.Address == b.Address && a.MAC != b.MAC && a.From.Before(b.Until) && b.From.Before(a.Until) {
				found = append(found, Violation{Kind: AddressTwice, Node: a.MAC, Evidence: fmt.Sprintf("%s on %s is %s's from %s, and was %s's until %s", a.Address, a.Network, a.MAC, clock(a.From), b.MAC, clock(b.Until))})
			}
		}
	}
	return found
}
