package conductor

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-metal/ingot"
)

// Steps of cleaning, deploying and servicing that a driver carries out out of band, without the agent. Ironic's names
// and arguments; nearly all are carried out only where somebody asks for them.

// driverStep is one of them. do is asked again until it holds, as any step.
type driverStep struct {
	kind, name string   // interface and step
	lists      []string // the kinds of list that it may be in; nil is all
	priority   int      // in automated cleaning; 0 is only where somebody asks for it
	needs      []string // arguments
	// bare is a step that needs no ramdisk: the machine goes on with what it does.
	bare bool
	// abortable is a step that may be called off while it runs.
	abortable bool
	has       func(*Conductor, *ingot.Node) bool
	do        func(ctx context.Context, r *Run, args map[string]any) (Progress, error)
}

func driverSteps() []driverStep {
	later, service := []string{"clean", "service"}, []string{"service"}
	return []driverStep{
		{kind: "bios", name: "apply_configuration", needs: []string{"settings"}, has: can[ingot.BIOSChanger]("bios"), do: applyBIOS},
		{kind: "bios", name: "factory_reset", has: can[ingot.BIOSChanger]("bios"), do: resetBIOS},
		{kind: "firmware", name: "update", needs: []string{"settings"}, has: can[ingot.FirmwareUpdater]("firmware"), do: updateFirmware},
		{kind: "raid", name: "apply_configuration", needs: []string{"raid_config"}, has: can[ingot.RAIDController]("raid"), do: applyRAID},
		{kind: "raid", name: "create_configuration", has: can[ingot.RAIDController]("raid"), do: createRAID},
		{kind: "raid", name: "delete_configuration", lists: later, has: can[ingot.RAIDController]("raid"), do: deleteRAID}, // a deploy takes nothing away without making something
		{kind: "management", name: "snapshot_create", needs: []string{"name"}, lists: service, bare: true, has: can[ingot.Snapshots]("management"), do: createSnapshot},
		{kind: "management", name: "snapshot_revert", needs: []string{"name"}, lists: service, bare: true, has: can[ingot.Snapshots]("management"), do: revertSnapshot},
		{kind: "management", name: "snapshot_delete", needs: []string{"name"}, lists: service, bare: true, has: can[ingot.Snapshots]("management"), do: deleteSnapshot},
		{kind: "management", name: "disk_grow", needs: []string{"size_gb"}, lists: service, bare: true, has: can[ingot.GuestResizer]("management"), do: growGuestDisk},
		{kind: "management", name: "resize", needs: []string{"flavor"}, lists: service, bare: true, has: can[ingot.GuestResizer]("management"), do: resizeGuest},
		{kind: "management", name: liveMigrateStep, lists: service, bare: true, abortable: true, has: isGuest, do: liveMigrate},
		{kind: "management", name: coldMigrateStep, lists: service, bare: true, abortable: true, has: isGuest, do: coldMigrate},
		{kind: "management", name: evacuateStep, lists: service, bare: true, has: isHost, do: evacuateGuests},
		{kind: "vendor", name: ingot.LogPassthrough, lists: later, priority: 1, has: logsPassthrough, do: logPassthrough},
		{kind: "vendor", name: "trigger_servicewait", lists: service, has: logsPassthrough, do: awaitHeartbeat},
	}
}

// can says whether a node's machine has an ability under an interface; it asks no BMC.
func can[T any](kind string) func(*Conductor, *ingot.Node) bool {
	return func(c *Conductor, n *ingot.Node) bool {
		_, err := able[T](c, n, kind, kind)
		return err == nil
	}
}

// isBare says whether a step of a list needs no ramdisk though it is none of the reserved ones.
func isBare(kind, name string) bool {
	return slices.ContainsFunc(driverSteps(), func(s driverStep) bool { return s.bare && s.kind == kind && s.name == name })
}

// checkBare refuses at once such steps that the node's driver has not, or that lack an argument.
func (c *Conductor) checkBare(n *ingot.Node, steps []map[string]any) error {
	for _, step := range steps {
		kind, name := ingot.Text(step, "interface"), ingot.Text(step, "step")
		if step[onChildNodes] == true || !isBare(kind, name) {
			continue
		}
		asked := askedStep(step, "user")
		if c.driverStep(n, "service", asked) == nil {
			return unsupported(n, kind+"."+name)
		}
		if err := complete(asked); err != nil {
			return err
		}
	}
	return nil
}

// driverOffers are the steps that the node's driver has for a kind of list: clean, deploy or service.
func (c *Conductor) driverOffers(n *ingot.Node, kind string) []ingot.OperationStep {
	var offers []ingot.OperationStep
	for _, s := range driverSteps() {
		if s.lists != nil && !slices.Contains(s.lists, kind) || !s.has(c, n) {
			continue
		}
		offer := ingot.OperationStep{Interface: s.kind, Step: s.name, Abortable: s.abortable, Source: "driver"}
		if kind == "clean" {
			offer.Priority = s.priority
		}
		offers = append(offers, offer)
	}
	return offers
}

// driverStep is how the node's driver carries out a step; nil where it is not one of its own.
func (c *Conductor) driverStep(n *ingot.Node, kind string, step ingot.OperationStep) func(context.Context, *Run, map[string]any) (Progress, error) {
	offered := func(o ingot.OperationStep) bool { return o.Interface == step.Interface && o.Step == step.Step }
	if step.Source == "agent" || !slices.ContainsFunc(c.driverOffers(n, kind), offered) {
		return nil
	}
	for _, s := range driverSteps() {
		if s.kind == step.Interface && s.name == step.Step {
			return s.do
		}
	}
	return nil
}

// complete refuses a driver's step without an argument that it needs.
func complete(step ingot.OperationStep) error {
	for _, s := range driverSteps() {
		if s.kind != step.Interface || s.name != step.Step {
			continue
		}
		for _, name := range s.needs {
			if step.Args[name] == nil {
				return ingot.Errorf(ingot.Invalid, "step %s.%s is missing these required argument(s): %s", step.Interface, step.Step, name)
			}
		}
	}
	return nil
}

// pairs reads a list of objects, each with two texts under the keys: the settings of bios and firmware steps.
func pairs(list any, key, value string) ([][2]string, error) {
	items, ok := list.([]any)
	if !ok || len(items) == 0 {
		return nil, ingot.Errorf(ingot.Invalid, "settings is not a list of objects with %s and %s", key, value)
	}
	var out [][2]string
	for _, item := range items {
		m, _ := item.(map[string]any)
		name := ingot.Text(m, key)
		if name == "" || m[value] == nil {
			return nil, ingot.Errorf(ingot.Invalid, "settings holds %v, which has not both %s and %s", item, key, value)
		}
		out = append(out, [2]string{name, fmt.Sprint(m[value])})
	}
	return out, nil
}
