package conductor

import (
	"context"
	"time"
)

// auditEvery is how often the claims of compute hosts are held against each other.
const auditEvery = 10 * time.Minute

// AuditClaims raises the alarm for what is wrong with the claims of the compute hosts that this conductor prefers. It changes
// nothing: whatever is found has a cause that is to be found too.
func (c *Conductor) AuditClaims(ctx context.Context) error {
	faults, err := c.Guests.Store.ClaimFaults(ctx)
	if err != nil {
		return err
	}
	share, found := c.Pulse.preferred(), 0
	for _, f := range faults {
		if !share.Has(f.Host) {
			continue
		}
		found++
		c.Log.Error("the claims of a compute host are wrong: "+f.String(), "host", f.Host, "guest", f.Guest, "resource", f.Resource, "used", f.Used, "claimed", f.Claimed)
	}
	c.Figures.audited(found)
	return nil
}
