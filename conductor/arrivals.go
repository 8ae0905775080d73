package conductor

import "sync"

// arrivals are the allocations whose guests have come a stage further in this process since the allocator looked. What
// other processes did it finds after its pause.
type arrivals struct {
	mu sync.Mutex
	of map[string]bool
}

func (a *arrivals) add(allocation string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[string]bool{}
	}
	a.of[allocation] = true
}

// take hands over what came, once.
func (a *arrivals) take() map[string]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	come := a.of
	a.of = nil
	return come
}

// arrived has the allocator look at once at an allocation whose guest has come a stage further.
func (c *Conductor) arrived(allocation string) {
	c.arrivals.add(allocation)
	c.WakeAllocator()
}

// guestArrived does so for a pass that ended an operation of a guest that is being made for an allocation.
func (c *Conductor) guestArrived(r *Run) {
	if allocation := r.Node.WaitsFor(); allocation != "" && !r.Op.Live() {
		c.arrived(allocation)
	}
}
