package ingot

import (
	"maps"
	"slices"
	"time"
)

// PlacementWish is what an allocation says in extra.placement: whether a guest will do.
type PlacementWish struct {
	Fallback Fallback
	Flavor   string // a resource class; "" is the flavor that does for the allocation's
	Group    string // anti-affinity
	// Networks are the physical networks that the guest is to have a card on each, in this order; nil leaves that to its
	// host, and an empty list wants none.
	Networks []string
	Image    string // checksum of what it will boot, in hex; "" is not known
	Wait     time.Duration
}

// maxCards is how many network cards an allocation can ask for.
const maxCards = 8

// maxWait is the longest that an allocation can wait for metal before it falls back.
const maxWait = 24 * 60 * 60

// Wish reads what the allocation says of guests. What says nothing wants none (Ironic knows no others).
func (a *Allocation) Wish() (PlacementWish, error) {
	w := PlacementWish{Fallback: FallbackNever}
	object, ok := a.Extra["placement"].(map[string]any)
	if !ok {
		return w, nil
	}
	for key, v := range object {
		text, isText := v.(string)
		seconds, isNumber := whole(v)
		good := true
		switch key {
		case "fallback":
			w.Fallback = Fallback(text)
			good = isText && slices.Contains([]Fallback{FallbackNever, FallbackTo, FallbackOnly}, w.Fallback)
		case "flavor":
			w.Flavor, good = text, isText
		case "anti_affinity_group":
			w.Group, good = text, isText && text != "" && len(text) <= 255
		case "physical_networks":
			w.Networks, good = networkNames(v)
		case "image_checksum":
			w.Image, good = ImageSum(text)
			good = good && isText
		case "wait_seconds":
			w.Wait, good = time.Duration(seconds)*time.Second, isNumber && !isText && seconds >= 0 && seconds <= maxWait
		case "result": // ours
		default:
			return w, Errorf(Invalid, "extra.placement of an allocation has no %s: it has fallback, flavor, anti_affinity_group, physical_networks, image_checksum and wait_seconds", key)
		}
		if !good {
			return w, Errorf(Invalid, "extra.placement.%s of an allocation can not be %v", key, v)
		}
	}
	return w, nil
}

// networkNames reads a list of physical networks, which may have one twice.
func networkNames(v any) ([]string, bool) {
	list, ok := v.([]any)
	names := make([]string, len(list))
	for i, item := range list {
		text, isText := item.(string)
		names[i], ok = text, ok && isText && text != ""
	}
	return names, ok && len(list) <= maxCards
}

// PlacementResult is what an allocation that might get a guest has got so far, in extra.placement.result.
type PlacementResult struct {
	Kind     string   // metal or virtual; "" while there is nothing
	Host     string   // of the guest
	Attempts int      // guests that were begun
	Failed   []string // hosts where one could not be made
	Reason   string   // why it is a guest, or why the last one could not be made
}

// Result is what is recorded of the allocation's way.
func (a *Allocation) Result() PlacementResult {
	object, _ := a.Extra["placement"].(map[string]any)
	m, _ := object["result"].(map[string]any)
	attempts, _ := whole(m["attempts"])
	r := PlacementResult{Kind: Text(m, "kind"), Host: Text(m, "compute_host"), Attempts: int(attempts), Reason: Text(m, "reason")}
	failed, _ := m["failed_hosts"].([]any)
	for _, host := range failed {
		if text, ok := host.(string); ok {
			r.Failed = append(r.Failed, text)
		}
	}
	return r
}

// SetResult records the allocation's way where its owner sees it.
func (a *Allocation) SetResult(r PlacementResult) {
	object, _ := a.Extra["placement"].(map[string]any)
	m := map[string]any{"attempts": r.Attempts}
	for key, text := range map[string]string{"kind": r.Kind, "compute_host": r.Host, "reason": r.Reason} {
		if text != "" {
			m[key] = text
		}
	}
	if len(r.Failed) > 0 {
		failed := make([]any, len(r.Failed))
		for i, host := range r.Failed {
			failed[i] = host
		}
		m["failed_hosts"] = failed
	}
	extra, placement := maps.Clone(a.Extra), maps.Clone(object)
	if extra == nil {
		extra = map[string]any{}
	}
	if placement == nil {
		placement = map[string]any{}
	}
	placement["result"], extra["placement"] = m, placement
	a.Extra = extra
}

// GuestFor is where a guest that is being made for an allocation names it, within driver_internal_info: it is that one's
// alone, and vanishes with it.
const GuestFor = "allocation"

// WaitsFor is the allocation that a guest is made for; "" for any other node.
func (n *Node) WaitsFor() string {
	if !n.IsDynamic() {
		return ""
	}
	return Text(n.Internal, GuestFor)
}
