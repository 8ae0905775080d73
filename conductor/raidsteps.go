package conductor

import (
	"context"
	"fmt"
	"reflect"

	"github.com/ingot-metal/ingot"
)

// applyRAID is raid.apply_configuration: it makes raid_config the node's wish, and carries it out.
func applyRAID(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	config, ok := args["raid_config"].(map[string]any)
	if !ok {
		return Progress{}, ingot.Errorf(ingot.Invalid, "raid_config is not an object")
	}
	if err := validRAID(config); err != nil {
		return Progress{}, err
	}
	if !reflect.DeepEqual(r.Node.TargetRAIDConfig, config) {
		r.Change(func(n *ingot.Node) { n.TargetRAIDConfig = config })
	}
	return createRAID(ctx, r, args)
}

// createRAID is raid.create_configuration: it makes the logical disks of the node's target_raid_config, without those
// that the arguments leave out, in the place of those that are there unless delete_existing is false.
func createRAID(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	wished, _ := r.Node.TargetRAIDConfig["logical_disks"].([]any)
	if len(wished) == 0 {
		return Progress{}, ingot.Errorf(ingot.Invalid, "Node %s has no target RAID configuration", r.Node.UUID)
	}
	var disks []any
	for _, d := range wished {
		disk, _ := d.(map[string]any)
		wanted := "create_nonroot_volumes"
		if disk["is_root_volume"] == true {
			wanted = "create_root_volume"
		}
		if args[wanted] != false {
			disks = append(disks, d)
		}
	}
	return setRAID(ctx, r, disks, args["delete_existing"] == false)
}

// deleteRAID is raid.delete_configuration.
func deleteRAID(ctx context.Context, r *Run, _ map[string]any) (Progress, error) {
	return setRAID(ctx, r, nil, false)
}

// setRAID has the machine have the logical disks. What comes beside what is there already is found out once and
// remembered, so that a repeat does not add the same again.
func setRAID(ctx context.Context, r *Run, disks []any, beside bool) (Progress, error) {
	holds := false
	key := "raid_" + r.commandID()
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		raid, err := ability[ingot.RAIDController](r.Node, m, "raid", "raid")
		if err != nil {
			return err
		}
		now, err := raid.RAID(ctx)
		if err != nil {
			return err
		}
		present, _ := now["logical_disks"].([]any)
		if r.Op.Memory[key] == nil {
			if beside {
				disks = append(append([]any{}, present...), disks...)
			}
			r.Remember(key, map[string]any{"logical_disks": disks})
			return nil
		}
		remembered, _ := r.Op.Memory[key].(map[string]any)
		disks, _ = remembered["logical_disks"].([]any)
		if holds = len(present) == len(disks) && (len(disks) == 0 || reflect.DeepEqual(present, disks)); holds {
			return nil
		}
		if len(disks) == 0 {
			return raid.SetRAID(ctx, nil)
		}
		return raid.SetRAID(ctx, map[string]any{"logical_disks": disks})
	})
	switch {
	case err != nil:
		return Progress{}, fmt.Errorf("cannot change the logical disks of %s: %w", r.Node.Label(), err)
	case !holds:
		return NotYet(raidPoll, "the logical disks are being made"), nil
	}
	r.recordRAID(disks)
	return Holds(), nil
}

// agentRAID takes the answer of an agent that changed the logical disks itself (raid interface agent, which makes them by
// software): the configuration as it is now. nil for other steps.
func (r *Run) agentRAID(kind string, step ingot.OperationStep) func(ingot.AgentCommand) error {
	if step.Interface != "raid" {
		return nil
	}
	return func(done ingot.AgentCommand) error {
		if step.Step == "delete_configuration" {
			r.recordRAID(nil)
			return nil
		}
		config, _ := done.Result[kind+"_result"].(map[string]any)
		disks, _ := config["logical_disks"].([]any)
		if len(disks) == 0 {
			return fmt.Errorf("the agent carried out raid.%s and gave no RAID configuration back: %v", step.Step, done.Result[kind+"_result"])
		}
		r.recordRAID(disks)
		return nil
	}
}

// raidPoll is how often a controller that makes logical disks is looked at.
const raidPoll = powerPoll / 4

// recordRAID notes what there is (Ironic's update_raid_info): the configuration, and of the root volume its size.
func (r *Run) recordRAID(disks []any) {
	now := r.Now.UTC().Format("2006-01-02 15:04:05.000000")
	r.Change(func(n *ingot.Node) {
		if len(disks) == 0 {
			n.RAIDConfig = map[string]any{}
			return
		}
		n.RAIDConfig = map[string]any{"logical_disks": disks, "last_updated": now}
	})
	for _, d := range disks {
		disk, _ := d.(map[string]any)
		if size, known := disk["size_gb"].(float64); known && disk["is_root_volume"] == true {
			r.Change(func(n *ingot.Node) {
				if n.Properties == nil {
					n.Properties = map[string]any{}
				}
				n.Properties["local_gb"] = size
			})
		}
	}
}
