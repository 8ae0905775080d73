package conductor

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// softPatience is how long a guest that is resized may take to switch itself off, before it is switched off.
const softPatience = 30 * time.Second

// growGuestDisk is management.disk_grow: size_gb is what the guest's disk is to have. The claim grows first, so that no
// disk is ever bigger than what was claimed for it.
func growGuestDisk(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	size, whole := args["size_gb"].(float64)
	if !whole || size < 1 || size != math.Trunc(size) || size > math.MaxInt32 {
		return Progress{}, ingot.Fatalf("size_gb is %v: give a whole number of GiB", args["size_gb"])
	}
	now, err := ingot.GuestAmounts(r.Node)
	if err != nil {
		return Progress{}, err
	}
	want := maps.Clone(now)
	want[ingot.DiskGB] = int64(size)
	if want[ingot.DiskGB] < now[ingot.DiskGB] {
		return Progress{}, ingot.Fatalf("the disk of %s has %d GiB, and disks do not shrink to %d", r.Node.Label(), now[ingot.DiskGB], want[ingot.DiskGB])
	}
	if err := r.reclaim(ctx, want, nil); err != nil {
		return Progress{}, err
	}
	err = managed(ctx, r, "disk_grow", func(ctx context.Context, m ingot.GuestResizer) error { return m.GrowDisk(ctx, want[ingot.DiskGB]) })
	if err != nil {
		return Progress{}, r.withdraw(ctx, now, err)
	}
	shaped := func(n *ingot.Node) { setAmounts(n, want) }
	if err := r.reclaim(ctx, want, shaped); err != nil {
		return Progress{}, err
	}
	r.Change(shaped)
	return Holds(), nil
}

// resizeGuest is management.resize: flavor is the class whose shape the guest is to have. A guest that runs is switched
// off and on again. While it changes it claims the bigger of both shapes.
func resizeGuest(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	flavor, err := r.flavor(ctx, ingot.Text(args, "flavor"))
	if err != nil {
		return Progress{}, err
	}
	now, err := ingot.GuestAmounts(r.Node)
	if err != nil {
		return Progress{}, err
	}
	want := flavor.Resources
	if want[ingot.DiskGB] < now[ingot.DiskGB] {
		return Progress{}, ingot.Fatalf("flavor %s has a disk of %d GiB, and that of %s has %d: disks do not shrink", flavor.ResourceClass, want[ingot.DiskGB], r.Node.Label(), now[ingot.DiskGB])
	}
	most := ingot.Amounts{}
	for _, resource := range ingot.Resources() {
		most[resource] = max(now[resource], want[resource])
	}
	if err := r.reclaim(ctx, most, nil); err != nil {
		return Progress{}, err
	}
	shaped := func(n *ingot.Node) {
		setAmounts(n, want)
		n.ResourceClass = flavor.ResourceClass
		n.Traits = ingot.Traits(slices.Concat(n.Traits, flavor.ProvidedTraits))
	}
	if p, err := r.reshape(ctx, shaped); err != nil || !p.holds {
		if ingot.IsFatal(err) {
			err = r.withdraw(ctx, now, err)
		}
		return p, err
	}
	if err := r.reclaim(ctx, want, shaped); err != nil {
		return Progress{}, err
	}
	r.Change(shaped)
	return Holds(), nil
}

// reshape has the machine as the node will say, and on if it was on before.
func (r *Run) reshape(ctx context.Context, shaped func(*ingot.Node)) (Progress, error) {
	after := *r.Node
	shaped(&after)
	restart := false
	err := manage(ctx, r.c, &after, "resize", func(ctx context.Context, m ingot.GuestResizer) (err error) {
		restart, err = m.ReshapeGuest(ctx, r.Ports)
		return err
	})
	switch {
	case err != nil:
		return Progress{}, fmt.Errorf("cannot resize %s: %w", r.Node.Label(), err)
	case restart:
		return r.softly(ctx)
	case r.Node.PowerState == ingot.PowerOn: // as it was recorded before the step began
		return ensurePower(ctx, r, ingot.ActionOn)
	}
	return Holds(), nil
}

// softly switches the machine off: it is asked to end by itself, and after a while it has to. That it is off is found by
// the next asking; the node's row says on meanwhile, which is what it will be.
func (r *Run) softly(ctx context.Context) (Progress, error) {
	key := "off_asked_" + r.commandID()
	asked, already := r.Op.Memory[key].(float64)
	action := ingot.ActionSoftOff
	if !already {
		r.Remember(key, float64(r.Now.Unix()))
	} else if r.Now.Sub(time.Unix(int64(asked), 0)) >= softPatience {
		action = ingot.ActionOff
	}
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error { return m.SetPower(ctx, action) })
	if err != nil {
		return Progress{}, err
	}
	return NotYet(powerPoll, "the guest has to be off for its new shape"), nil
}

// flavor finds a flavor by its class, or names those that there are.
func (r *Run) flavor(ctx context.Context, class string) (*ingot.Flavor, error) {
	if r.c.Guests == nil {
		return nil, unsupported(r.Node, "resize")
	}
	flavors, err := r.c.Guests.Flavors.List(ctx, ingot.FlavorQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range flavors {
		if flavors[i].ResourceClass == class {
			return &flavors[i], nil
		}
		names = append(names, flavors[i].ResourceClass)
	}
	return nil, ingot.Fatalf("there is no flavor %q; there are: %v", class, names)
}

// reclaim has the guest claim so much of its host, and changes its row in the same transaction; what there is no room for
// is refused for good.
func (r *Run) reclaim(ctx context.Context, amounts ingot.Amounts, change func(*ingot.Node)) error {
	if r.c.Guests == nil {
		return unsupported(r.Node, "resize")
	}
	h, err := r.c.Guests.Hosts.Get(ctx, r.Node.ParentNode)
	if err != nil {
		return err
	}
	err = r.c.Guests.Store.ChangeClaim(ctx, *r.Op, h.Claim(r.Node.DiskPool(), amounts), change)
	if ingot.CodeOf(err) == ingot.Conflict {
		err = ingot.Fatal(err)
	}
	return err
}

// withdraw gives back what was claimed for a shape that the guest will not get. A failure that passes keeps it.
func (r *Run) withdraw(ctx context.Context, now ingot.Amounts, cause error) error {
	if !ingot.IsFatal(cause) {
		return cause
	}
	if err := r.reclaim(ctx, now, nil); err != nil {
		r.c.Log.Warn("a guest claims more than it has", "guest", r.Node.UUID, "error", err)
	}
	return cause
}

// setAmounts writes what a guest has into its properties.
func setAmounts(n *ingot.Node, amounts ingot.Amounts) {
	n.Properties = maps.Clone(n.Properties)
	for resource, amount := range amounts {
		n.Properties[resource.Property()] = float64(amount)
	}
}
