package ingot

import (
	"encoding/json"
	"maps"
	"strings"
)

// Interchange: an instance goes on on another machine. The hardware stays what it is; the instance moves from one node to
// the other, and each of them says where it went to or came from.

// InstanceMove is an instance that goes from the node that has it to another one, asked by a pass that has its claim.
type InstanceMove struct {
	From, To         string // nodes' UUIDs
	Operation, Claim string
	History          []History // of either node
	Events           []Event   // of To
}

// The keys within driver_internal_info of a node that gave its instance to another one, and of that one.
const (
	movedToKey   = "instance_moved_to"
	movedFromKey = "instance_moved_from"
	copiedToKey  = "instance_copied_to"
)

// LeaseKey marks, within driver_internal_info, a lessee that ends with the instance; it is Ironic's key.
const LeaseKey = "automatic_lessee"

// MovedTo is the node that has taken over the instance of this one, whose disk may still be a copy of it; "" where none has.
func (n *Node) MovedTo() string { return Text(n.Internal, movedToKey) }

// MovedFrom is the node from which the instance of this one came; "" where it was deployed here.
func (n *Node) MovedFrom() string { return Text(n.Internal, movedFromKey) }

// CopiedTo is a node that was to take the instance of this one over, did not, and was not seen off: it may run a copy of
// it; "" where there is none.
func (n *Node) CopiedTo() string { return Text(n.Internal, copiedToKey) }

// SetCopiedTo notes it; "" that there is none.
func (n *Node) SetCopiedTo(node string) {
	if n.note(copiedToKey, node); node == "" {
		n.note(copiedToKey, nil)
	}
}

// ForgetMoves ends what MovedTo and MovedFrom say: what they speak of is gone.
func (n *Node) ForgetMoves() { n.note(movedToKey, nil); n.note(movedFromKey, nil) }

// note sets a value within driver_internal_info; nil takes it away.
func (n *Node) note(key string, value any) {
	if n.Internal[key] == value {
		return
	}
	n.Internal = maps.Clone(n.Internal)
	if n.Internal == nil {
		n.Internal = map[string]any{}
	}
	if n.Internal[key] = value; value == nil {
		delete(n.Internal, key)
	}
}

// HandOver gives the instance of one node to another: what clients know it by, what it was deployed from, who it is leased
// to, and the names of both where the first one has a name. cards are the network cards of the first, and those of the
// second that take their place. The first is being torn down from then on, the second is active.
func HandOver(from, to *Node, cards map[string]string) {
	to.InstanceUUID, to.InstanceName, to.AllocationUUID = from.InstanceUUID, from.InstanceName, from.AllocationUUID
	to.InstanceInfo = from.InstanceAt(to)
	to.Protected, to.ProtectedReason = from.Protected, from.ProtectedReason
	if from.NetworkData != nil {
		to.NetworkData, _ = replug(from.NetworkData, cards).(map[string]any)
	}
	if to.Lessee == "" && from.Lessee != "" {
		to.Lessee = from.Lessee
		to.note(LeaseKey, true)
	}
	if from.Name != "" {
		from.Name, to.Name = to.Name, from.Name
	}
	from.note(movedToKey, to.UUID)
	to.note(movedFromKey, from.UUID)
	to.ProvisionState, to.TargetProvisionState, to.LastError = Active, "", ""

	from.InstanceUUID, from.InstanceName, from.AllocationUUID, from.InstanceInfo = "", "", "", map[string]any{}
	from.Protected, from.ProtectedReason, from.NetworkData = false, "", nil
	from.ProvisionState, from.TargetProvisionState, from.ServiceStep = Deleting, Available, nil
}

// InstanceAt is the node's instance_info as it is to be on another node: with the firmware interface that the instance was
// installed for, wherever that is said here.
func (n *Node) InstanceAt(to *Node) map[string]any {
	info := maps.Clone(n.InstanceInfo)
	if info == nil {
		info = map[string]any{}
	}
	mode := string(n.Firmware())
	if mode == "" && n.IsGuest() {
		mode = string(ModeBIOS) // which is what guests are made with where nothing is said
	}
	if mode == "" || Capability(info, "boot_mode") != "" || Capability(to.Properties, "boot_mode") == mode {
		return info
	}
	object, _ := info["capabilities"].(map[string]any)
	text := Text(info, "capabilities")
	if text != "" && json.Unmarshal([]byte(text), &object) != nil {
		info["capabilities"] = text + ",boot_mode:" + mode
		return info
	}
	object = maps.Clone(object)
	if object == nil {
		object = map[string]any{}
	}
	object["boot_mode"] = mode
	info["capabilities"] = object
	return info
}

// Firmware is the firmware interface that a node is booted with, from Ironic's places for it: instance_info's capabilities,
// properties' capabilities, what inspection saw; "" where nothing says.
func (n *Node) Firmware() BootMode {
	for _, m := range []map[string]any{n.InstanceInfo, n.Properties} {
		switch mode := BootMode(Capability(m, "boot_mode")); mode {
		case ModeBIOS, ModeUEFI:
			return mode
		}
	}
	return n.BootMode
}

// replug is a JSON value with network cards in the place of others.
func replug(v any, cards map[string]string) any {
	switch v := v.(type) {
	case string:
		if card, ok := cards[strings.ToLower(v)]; ok {
			return card
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[key] = replug(inner, cards)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = replug(inner, cards)
		}
		return out
	}
	return v
}

// PortPair is a port and the port of another node that takes its place.
type PortPair struct{ From, To *Port }

// PairPorts finds a port of another node for each of these, on the same physical network first; those that boot from the
// network come before others. Conflict: one that has a virtual interface attached finds none.
func PairPorts(from, to []Port) ([]PortPair, error) {
	var pairs []PortPair
	taken := make([]bool, len(to))
	choose := func(suits func(*Port) bool) int {
		for _, pxe := range []bool{true, false} {
			for i := range to {
				if !taken[i] && to[i].PXEEnabled == pxe && suits(&to[i]) {
					return i
				}
			}
		}
		return -1
	}
	for i := range from {
		p := &from[i]
		at := choose(func(q *Port) bool { return q.PhysicalNetwork == p.PhysicalNetwork })
		if at < 0 {
			at = choose(func(q *Port) bool { return q.PhysicalNetwork == "" || p.PhysicalNetwork == "" })
		}
		switch vif := Text(p.Internal, VIFKey); {
		case at >= 0:
			taken[at] = true
			pairs = append(pairs, PortPair{p, &to[at]})
		case vif != "":
			return nil, Errorf(Conflict, "it has no port for virtual interface %s, which is attached to port %s on physical network %q", vif, p.Address, p.PhysicalNetwork)
		}
	}
	return pairs, nil
}

// Cards are the addresses of ports that were paired, lower case.
func Cards(pairs []PortPair) map[string]string {
	cards := map[string]string{}
	for _, p := range pairs {
		cards[strings.ToLower(p.From.Address)] = strings.ToLower(p.To.Address)
	}
	return cards
}
