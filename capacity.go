package ingot

import "fmt"

// Capacity is what a compute host has of one resource. All numbers are integers, so that no rounding gives a guest away.
type Capacity struct {
	Host     string
	Resource Resource
	Total    int64
	Reserved int64 // by the operator and by unmanaged domains
	Ratio    int64 // in thousandths
	MaxUnit  int64 // the most that one guest may have
	StepSize int64
	Used     int64 // the sum of the claims
}

// Capacity is how much of the resource guests may have together; it is below Used where an operator lowered it since.
func (c *Capacity) Capacity() int64 { return max(0, c.Total-c.Reserved) * c.Ratio / 1000 }

// Free is how much of the resource may yet be claimed.
func (c *Capacity) Free() int64 { return max(0, c.Capacity()-c.Used) }

// Refuse is why a guest may not have so much of the resource; nil when it may.
func (c *Capacity) Refuse(amount int64) error {
	switch {
	case amount == 0:
		return nil
	case amount < 0:
		return Errorf(Invalid, "a guest can not have %d of %s", amount, c.Resource)
	case amount > c.MaxUnit:
		return Errorf(Conflict, "compute host %s lacks %s: asked %d, but one guest may have %d at most (capacity %d, used %d)",
			c.Host, c.Resource, amount, c.MaxUnit, c.Capacity(), c.Used)
	case amount%c.StepSize != 0:
		return Errorf(Conflict, "compute host %s gives %s in steps of %d: asked %d", c.Host, c.Resource, c.StepSize, amount)
	case amount > c.Free():
		return Errorf(Conflict, "compute host %s lacks %s: asked %d, free %d (capacity %d, used %d)",
			c.Host, c.Resource, amount, c.Free(), c.Capacity(), c.Used)
	}
	return nil
}

// Capacities is what guests may have of the host, by what it was found to have and what operators set; none before it
// was found. What is used is not known here.
func (h *Hypervisor) Capacities() []Capacity {
	if h.Facts.Totals == nil {
		return nil
	}
	all := make([]Capacity, 0, len(Resources()))
	for _, resource := range Resources() {
		reserved := h.Reserved[resource]
		for _, domain := range h.Facts.Unmanaged {
			reserved += domain.Uses[resource]
		}
		ratio, set := h.Ratios[resource]
		if !set {
			ratio = DefaultRatio
		}
		total := h.Facts.Totals[resource]
		all = append(all, Capacity{Host: h.NodeUUID, Resource: resource, Total: total, Reserved: reserved, Ratio: ratio, MaxUnit: total, StepSize: 1})
	}
	return all
}

// ClaimFault is what must not be: a compute host whose count of what is used is not the sum of the claims, or a guest that
// has not claimed what it is to have.
type ClaimFault struct {
	Host          string
	Guest         string   // "" where it is the host's count
	Resource      Resource // of the count
	Used, Claimed int64
}

// String is the sentence.
func (f ClaimFault) String() string {
	if f.Guest != "" {
		return "guest " + f.Guest + " of compute host " + f.Host + " has not claimed what it has of it"
	}
	return fmt.Sprintf("compute host %s counts %d of %s as used, and its guests have claimed %d", f.Host, f.Used, f.Resource, f.Claimed)
}
