package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// hostInspect is the inspect interface of guests whose host tells what they are: no ramdisk, no agent.
const hostInspect = "libvirt"

// seenByHost says whether it is a node's host that tells what the node is.
func seenByHost(n *ingot.Node) bool { return n.Interfaces.Inspect == hostInspect }

// inspectPlan finds out what the hardware is: inventory, ports and the properties that scheduling needs. The agent looks at
// it, or the host tells what its guest is.
func (c *Conductor) inspectPlan() Plan {
	began := Step{Name: "begin", State: ingot.Inspecting, Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		r.Change(func(n *ingot.Node) { n.InspectionStartedAt, n.InspectionFinishedAt = r.Now, time.Time{} })
		return Holds(), r.c.Blobs.DeleteBlob(ctx, inspectionKey(r.Node.UUID))
	}}
	return Plan{
		Steps: slices.Concat(
			[]Step{began},
			unless(seenByHost, c.powerOff(firstPowerOff), c.netboot("inspect"), c.powerOn("power-on")),
			only(seenByHost, defineGuest()),
			[]Step{{Name: "inventory", Class: Ensure, Timeout: c.Settings.CallbackTimeout, Do: takeInventory}},
			unless(seenByHost, c.powerOff("power-off-agent"), Step{Name: "abort-boot", Class: Ensure, Do: bootNothing}, c.leaveRamdisk()),
		),
		Abort: unless(seenByHost, c.makeSafe()...), Cancel: unless(seenByHost, c.makeSafe()...),
		Finish: func(r *Run) { r.Change(func(n *ingot.Node) { n.InspectionFinishedAt = r.Now }) },
	}
}

// inspectionKey is where the agent's report waits for the pass that takes it.
func inspectionKey(node string) string { return "inspection/" + node }

// inspection is what an agent posts to continue_inspection.
type inspection struct {
	Inventory ingot.Inventory `json:"inventory"`
	Plugin    map[string]any  `json:"plugin"`
}

// takeInventory has the host's word, or waits for the agent's report, and stores it with everything it tells, in one commit.
func takeInventory(ctx context.Context, r *Run) (Progress, error) {
	var report inspection
	if seenByHost(r.Node) {
		err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
			able, err := ability[ingot.GuestInspector](r.Node, m, "inspect", "inspect_hardware")
			if err == nil {
				report.Inventory, err = able.InspectGuest(ctx)
			}
			return err
		})
		if err != nil {
			return Progress{}, err
		}
		return r.inspected(ctx, &report)
	}
	data, _, err := r.c.Blobs.Blob(ctx, inspectionKey(r.Node.UUID))
	if ingot.CodeOf(err) == ingot.NotFound {
		return ForAgent(agentPoll, "waiting for the agent's inventory"+r.lastSeen()), nil
	}
	if err != nil {
		return Progress{}, err
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return Progress{}, ingot.Fatalf("cannot read the agent's inventory: %w", err)
	}
	return r.inspected(ctx, &report)
}

// inspected takes in what was found out.
func (r *Run) inspected(ctx context.Context, report *inspection) (Progress, error) {
	r.addPorts(report.Inventory)
	before := r.Node.Properties
	properties := inspectedProperties(report.Inventory, before)
	mode := ingot.BootMode(report.Inventory.Boot.CurrentMode)
	r.Change(func(n *ingot.Node) { n.Properties, n.BootMode = properties, mode })
	if err := r.applyRules(ctx, report); err != nil {
		return Progress{}, err
	}
	if r.Node.IsGuest() {
		r.Change(func(n *ingot.Node) { n.Properties = claimed(n.Properties, before) })
	}
	r.inventory, r.plugin = &report.Inventory, report.Plugin
	return Holds(), nil
}

// claimed are a guest's properties with what it claims of its host as it was: that changes with the claim alone, whatever a
// ramdisk makes of it.
func claimed(properties, before map[string]any) map[string]any {
	properties = maps.Clone(properties)
	for _, resource := range ingot.Resources() {
		if v, had := before[resource.Property()]; had {
			properties[resource.Property()] = v
		}
	}
	return properties
}

// addPorts creates a port for every interface that has none (Ironic: add_ports = pxe: those that could boot; here all
// with a carrier, and pxe_enabled where the ramdisk came in).
func (r *Run) addPorts(inventory ingot.Inventory) {
	have := map[string]bool{}
	for _, p := range r.Ports {
		have[p.Address] = true
	}
	booted := strings.ToLower(inventory.Boot.PXEInterface)
	for _, i := range inventory.Interfaces {
		mac := strings.ToLower(i.MAC)
		if mac == "" || have[mac] || !i.HasCarrier {
			continue
		}
		have[mac] = true
		r.newPorts = append(r.newPorts, ingot.Port{
			UUID: uuid.NewString(), NodeUUID: r.Node.UUID, Address: mac, PXEEnabled: booted == "" || booted == mac, ForDynamicGroups: true,
			Extra: map[string]any{}, Internal: map[string]any{}, LocalLinkConnection: map[string]any{}, CreatedAt: r.Now, UpdatedAt: r.Now,
		})
	}
}

// inspectedProperties are the node's properties with what inspection found: cpus, memory_mb (MiB), local_gb (GiB, less
// one for a partition table, as Ironic), cpu_arch, vendor, and the boot mode among the capabilities.
func inspectedProperties(inventory ingot.Inventory, before map[string]any) map[string]any {
	properties := map[string]any{}
	for key, v := range before {
		properties[key] = v
	}
	properties["cpus"] = strconv.Itoa(inventory.CPU.Count)
	properties["cpu_arch"] = inventory.CPU.Architecture
	memory := inventory.Memory.PhysicalMB
	if memory == 0 {
		memory = int(inventory.Memory.Total >> 20)
	}
	properties["memory_mb"] = strconv.Itoa(memory)
	if vendor := inventory.SystemVendor.Manufacturer; vendor != "" {
		properties["vendor"] = vendor
	}
	if size := rootSize(inventory.Disks); size > 0 {
		properties["local_gb"] = strconv.FormatInt(max(size>>30-1, 0), 10)
	}
	if mode := inventory.Boot.CurrentMode; mode != "" && ingot.Capability(before, "boot_mode") == "" {
		caps := ingot.Text(before, "capabilities")
		if caps != "" {
			caps += ","
		}
		properties["capabilities"] = fmt.Sprintf("%sboot_mode:%s", caps, mode)
	}
	return properties
}

// rootSize is the size of the smallest disk of at least 4 GiB, which the agent takes when there are no hints; else of
// the largest.
func rootSize(disks []ingot.InventoryDisk) int64 {
	var smallest, largest int64
	for _, d := range disks {
		if d.Size >= 4<<30 && (smallest == 0 || d.Size < smallest) {
			smallest = d.Size
		}
		largest = max(largest, d.Size)
	}
	if smallest > 0 {
		return smallest
	}
	return largest
}
