package chaos_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/chaos"
	"github.com/ingot-metal/ingot/lab/sim"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// at is a moment of the pretended run, in seconds after its beginning.
func at(seconds float64) time.Time {
	return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func state(seconds float64, from, to ingot.State) ingot.Event {
	return ingot.Event{At: at(seconds), Type: "node.state", Node: "n", Data: map[string]any{"from": string(from), "to": string(to)}}
}

func event(seconds float64, kind, operation string, more map[string]any) ingot.Event {
	data := map[string]any{"operation": operation, "kind": "deploy"}
	for key, v := range more {
		data[key] = v
	}
	return ingot.Event{At: at(seconds), Type: kind, Node: "n", Data: data}
}

// healthy is the record of a deploy, a rescue that was refused, and a machine that was switched off.
func healthy() chaos.Record {
	r := chaos.Record{
		Ended: at(100),
		Requests: []chaos.Request{
			{Node: "n", Verb: "active", Image: "A", Sent: at(10), Ended: at(10.1), Answer: chaos.Accepted},
			{Node: "n", Verb: "rescue", Sent: at(12), Ended: at(12.1), Answer: chaos.Refused},
			{Node: "n", Verb: "power power off", Sent: at(40), Ended: at(40.1), Answer: chaos.Accepted},
		},
		Reads: []chaos.Read{
			{Node: "n", Asked: at(9), Answered: at(9.1), State: ingot.Available},
			{Node: "n", Asked: at(11), Answered: at(11.1), State: ingot.Deploying},
			{Node: "n", Asked: at(35), Answered: at(35.1), State: ingot.Active},
		},
		Events: []ingot.Event{
			state(10.05, ingot.Available, ingot.Deploying),
			event(11, "operation.step", "op", nil),
			state(13, ingot.Deploying, ingot.DeployWait),
			state(20, ingot.DeployWait, ingot.Deploying),
			state(30, ingot.Deploying, ingot.Active),
			event(30, "operation.ended", "op", map[string]any{"outcome": "done"}),
			{At: at(40.05), Type: "node.power-asked", Node: "n", Data: map[string]any{"target": "power off"}},
			event(42, "operation.ended", "power", map[string]any{"outcome": "done", "kind": "power"}),
		},
		Grants: []chaos.Grant{
			{BMC: "b", Owner: "one", From: at(11), Until: at(12)},
			{BMC: "b", Owner: "two", From: at(33), Until: at(36)},
		},
		Machines: []chaos.Machine{{
			Node: "n", Name: "node-0", BMC: "b", Disk: "A",
			Boots:    []sim.Boot{{At: at(12), What: "ramdisk"}, {At: at(29), What: "disk"}},
			Commands: []sim.Command{{At: at(15), Ended: at(18), Boot: 1, Name: "standby.prepare_image", ID: "op/run-steps.0/1"}},
			BMCLog: []vbmc.Entry{
				{Time: at(11.5), Protocol: vbmc.ProtocolIPMI, Verb: vbmc.VerbPower, Argument: "on", Remote: "127.0.0.1:1"},
				{Time: at(11.5), Protocol: vbmc.ProtocolMachine, Verb: vbmc.VerbStart},
				{Time: at(34), Protocol: vbmc.ProtocolIPMI, Verb: vbmc.VerbPower, Argument: "off", Remote: "127.0.0.1:2"},
			},
			Shown: []chaos.Shown{{State: ingot.Active, Power: ingot.PowerOff}, {State: ingot.Active, Power: ingot.PowerOff}},
		}},
	}
	r.Events = numbered(r.Events)
	r.Again = r.Events
	return r
}

func numbered(events []ingot.Event) []ingot.Event {
	for i := range events {
		events[i].ID = int64(i + 1)
	}
	return events
}

// TestSlowTakeovers: p99 counts where enough were measured and nothing hindered them.
func TestSlowTakeovers(t *testing.T) {
	measured := func(n int, slow time.Duration, hindered bool) chaos.Record {
		r := healthy()
		for range n {
			r.Takeovers = append(r.Takeovers, chaos.Takeover{Took: 4 * time.Second})
		}
		r.Takeovers = append(r.Takeovers, chaos.Takeover{Took: slow, Hindered: hindered})
		return r
	}
	found := chaos.Check(measured(40, 6*time.Second, false))
	require.Len(t, found, 1)
	require.Equal(t, chaos.Slow, found[0].Kind)
	require.Contains(t, found[0].Evidence, "p99 of 41 is 6s")
	require.Empty(t, chaos.Check(measured(40, 6*time.Second, true)), "hindered")
	require.Empty(t, chaos.Check(measured(10, 6*time.Second, false)), "too few to say")
	require.Empty(t, chaos.Check(measured(300, 6*time.Second, false)), "one of 301")
	require.Empty(t, chaos.Check(measured(40, 4900*time.Millisecond, false)))
}

func TestARecordWithoutFault(t *testing.T) {
	require.Empty(t, chaos.Check(healthy()))
}

// TestAPortThatComesBack: another process may get the port of one that is done, and begins a session of its own there, with
// a question or with the login. What goes on with the session of one whose lease is over is found.
func TestAPortThatComesBack(t *testing.T) {
	const question, start, power = "Get Channel Authentication Capabilities", vbmc.VerbLoginStart, vbmc.VerbPower
	for name, c := range map[string]struct {
		before, after []string
		found         int
	}{
		"a question":                 {[]string{power}, []string{question, start, power}, 0},
		"a login at once":            {[]string{question, start, power}, []string{start, power}, 0},
		"the login after a question": {[]string{question}, []string{start, power}, 2},
		"no login":                   {[]string{start, power}, []string{power}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			var log []vbmc.Entry
			add := func(seconds float64, verbs []string) {
				for _, verb := range verbs {
					log = append(log, vbmc.Entry{Time: at(seconds), Protocol: vbmc.ProtocolIPMI, Verb: verb, Remote: "127.0.0.1:1"})
				}
			}
			add(11.5, c.before)
			add(34, c.after)
			r.Machines[0].BMCLog = log
			require.Len(t, chaos.Check(r), c.found)
		})
	}
}

// TestPlantedFaults: each promise that a record breaks is found, and nothing else.
func TestPlantedFaults(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*chaos.Record)
		want  chaos.Kind
	}{
		"an accepted request of which nothing came": {func(r *chaos.Record) { r.Requests[1].Answer = chaos.Accepted }, chaos.Lost},
		"an accepted change of power of which nothing came": {func(r *chaos.Record) {
			r.Requests = append(r.Requests, chaos.Request{Node: "n", Verb: "power rebooting", Sent: at(50), Ended: at(51), Answer: chaos.Accepted})
		}, chaos.Lost},
		"a refused request that was carried out":   {func(r *chaos.Record) { r.Requests[0].Answer = chaos.Refused }, chaos.Uncalled},
		"a request that was carried out too early": {func(r *chaos.Record) { r.Requests[2].Sent, r.Requests[2].Answer = at(90), chaos.Unknown }, chaos.Uncalled},
		"an answer of 500":                         {func(r *chaos.Record) { r.Requests[1].Answer = chaos.Broken }, chaos.Failing},
		"an operation without an outcome": {func(r *chaos.Record) {
			r.Events = append(r.Events, event(50, "operation.step", "another", nil))
		}, chaos.Endless},
		"a node that stays busy": {func(r *chaos.Record) {
			r.Requests = append(r.Requests, chaos.Request{Node: "n", Verb: "deleted", Sent: at(60), Ended: at(61), Answer: chaos.Accepted})
			r.Events = append(r.Events, state(60.5, ingot.Active, ingot.Deleting))
			r.Machines[0].Shown = []chaos.Shown{{State: ingot.Deleting, Power: ingot.PowerOff}}
		}, chaos.Endless},
		"a second outcome": {func(r *chaos.Record) {
			r.Events = append(r.Events, event(50, "operation.ended", "op", map[string]any{"outcome": "failed"}))
		}, chaos.TwoOutcomes},
		"work after the outcome": {func(r *chaos.Record) {
			r.Events = append(r.Events, event(50, "operation.step", "op", nil))
		}, chaos.TwoOutcomes},
		"a state that goes backwards": {func(r *chaos.Record) {
			r.Events[2] = state(13, ingot.Deploying, ingot.Available)
			r.Events[3] = state(20, ingot.Available, ingot.Deploying)
			r.Requests = append(r.Requests, chaos.Request{Node: "n", Verb: "active", Sent: at(19), Ended: at(21), Answer: chaos.Accepted})
		}, chaos.BadMove},
		"a state that comes from nowhere": {func(r *chaos.Record) { r.Events[3] = state(20, ingot.CleanWait, ingot.Cleaning) }, chaos.BadMove},
		"an image that was written twice": {func(r *chaos.Record) {
			m := &r.Machines[0]
			m.Commands = append(m.Commands, sim.Command{At: at(19), Boot: 1, Name: "standby.prepare_image", ID: "op/run-steps.0/1"})
		}, chaos.WrittenTwice},
		"a write after the operation": {func(r *chaos.Record) {
			m := &r.Machines[0]
			m.Commands = append(m.Commands, sim.Command{At: at(39), Boot: 2, Name: "standby.prepare_image", ID: "op/run-steps.0/2"})
		}, chaos.Late},
		"a BMC command after the deadline": {func(r *chaos.Record) { r.Machines[0].BMCLog[0].Time = at(12.01) }, chaos.Unleased},
		"a session under another's lease": {func(r *chaos.Record) {
			r.Machines[0].BMCLog[2].Remote = "127.0.0.1:1"
		}, chaos.Unleased},
		"a machine that is on": {func(r *chaos.Record) {
			r.Machines[0].On = true
			r.Machines[0].Shown[0].Power = ingot.PowerOn
			r.Machines[0].Shown[1].Power = ingot.PowerOn
		}, chaos.NotSo},
		"a power state that is not so":      {func(r *chaos.Record) { r.Machines[0].Shown[0].Power = ingot.PowerOn }, chaos.NotSo},
		"another image on the disk":         {func(r *chaos.Record) { r.Machines[0].Disk = "B" }, chaos.NotSo},
		"a machine in the ramdisk":          {stayedInRamdisk, chaos.NotSo},
		"an API that shows another state":   {func(r *chaos.Record) { r.Machines[0].Shown[1].State = ingot.Available }, chaos.Contradicted},
		"a read from before what is known":  {func(r *chaos.Record) { r.Reads[2].State = ingot.Available }, chaos.Contradicted},
		"a read from before what was heard": {func(r *chaos.Record) { r.Reads[1].State = ingot.Available }, chaos.Contradicted},
		"an event that was not told twice":  {func(r *chaos.Record) { r.Again = r.Again[:3] }, chaos.Contradicted},
		"an event that was missed":          {func(r *chaos.Record) { r.Again = append([]ingot.Event{{ID: 99, Type: "node.created"}}, r.Again...) }, chaos.Contradicted},
		"an address of two machines": {func(r *chaos.Record) {
			r.Offers = []chaos.Offer{
				{Network: "a", Address: "10.0.0.1", MAC: "x", From: at(1), Until: at(10)},
				{Network: "a", Address: "10.0.0.1", MAC: "y", From: at(9), Until: at(19)},
			}
		}, chaos.AddressTwice},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			c.plant(&r)
			if len(r.Again) == len(healthy().Events) {
				r.Events = numbered(r.Events)
				r.Again = r.Events
			}
			found := chaos.Check(r)
			require.NotEmpty(t, found)
			for _, v := range found {
				require.Equal(t, c.want, v.Kind, "%s", v)
			}
		})
	}
}

// stayedInRamdisk: nobody switched the machine off, and it runs what it was deployed with.
func stayedInRamdisk(r *chaos.Record) {
	r.Requests, r.Events = r.Requests[:2], r.Events[:6]
	m := &r.Machines[0]
	m.On, m.Boots = true, m.Boots[:1]
	for i := range m.Shown {
		m.Shown[i].Power = ingot.PowerOn
	}
}

// TestWhatIsNoFault: records that look odd and break no promise.
func TestWhatIsNoFault(t *testing.T) {
	for name, change := range map[string]func(*chaos.Record){
		"a request without an answer of which nothing came": func(r *chaos.Record) { r.Requests[1].Answer = chaos.Unknown },
		"a request without an answer that was carried out":  func(r *chaos.Record) { r.Requests[0].Answer = chaos.Unknown },
		"another attempt writes again": func(r *chaos.Record) {
			m := &r.Machines[0]
			m.Commands = append(m.Commands, sim.Command{At: at(25), Boot: 2, Name: "standby.prepare_image", ID: "op/run-steps.0/2"})
		},
		"a machine whose plug was pulled": func(r *chaos.Record) {
			stayedInRamdisk(r)
			m := &r.Machines[0]
			m.On, m.Cuts = false, []time.Time{at(50)}
			for i := range m.Shown {
				m.Shown[i].Power = ingot.PowerOff
			}
		},
		"an address that was free again": func(r *chaos.Record) {
			r.Offers = []chaos.Offer{
				{Network: "a", Address: "10.0.0.1", MAC: "x", From: at(1), Until: at(10)},
				{Network: "a", Address: "10.0.0.1", MAC: "y", From: at(11), Until: at(19)},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			change(&r)
			r.Again = r.Events
			require.Empty(t, chaos.Check(r))
		})
	}
}
