package conductor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// deployPlan puts an image on the machine's disk and starts it: active and rebuild. The slot's own steps have Ironic's
// priorities, so that steps of the agent, of templates and of the user fall between them as they do there.
func (c *Conductor) deployPlan() Plan {
	return Plan{
		Steps: append([]Step{
			{Name: "check", State: ingot.Deploying, Class: Ensure, Do: checkDeploy},
		}, unlessNoop(slices.Concat([]Step{
			{Name: "image", Class: Ensure, Timeout: time.Hour, Do: prepareImage},
			{Name: "config-drive", Class: Ensure, Do: buildConfigDrive},
			defineGuest(),
			c.powerOff(firstPowerOff),
			guestDisks(),
			bootISO(),
		}, unless(byHost, c.written()...), []Step{
			c.diskBoot(),
			c.powerOn("power-on-instance"),
		}))...),
		Abort:  unlessNoop(c.makeSafe()),
		Cancel: ifHeld(c.makeSafe()), // Ironic leaves a machine that waits for its agent as it is, for investigation
	}
}

// written are the steps that have an agent write the disk.
func (c *Conductor) written() []Step {
	return []Step{
		c.netboot("deploy"),
		c.powerOn("power-on"),
		c.callIn(),
		c.collect("deploy", deploySteps),
		c.slot("deploy", map[string]func(context.Context, *Run) (Progress, error){
			"write_image":           writeImage,
			"prepare_instance_boot": installBootloader,
		}),
		{Name: "sync", Class: Ensure, Timeout: c.Settings.CallbackTimeout, Do: syncDisks}, // the list's last step may be a reboot
		c.powerOff("power-off-agent"),
	}
}

// unlessNoop has every step hold at once for a node whose deploy interface is noop: what runs on it is somebody else's.
func unlessNoop(steps []Step) []Step {
	return unless(func(n *ingot.Node) bool { return n.Interfaces.Deploy == noopDeploy }, steps...)
}

// noopDeploy is the deploy interface that does nothing (of manual-management alone).
const noopDeploy = "noop"

// ifHeld has every step hold at once unless the operation was aborted in a hold.
func ifHeld(steps []Step) []Step {
	for i := range steps {
		do := steps[i].Do
		steps[i].Do = func(ctx context.Context, r *Run) (Progress, error) {
			if r.Op.Memory[heldAt] == nil {
				return Holds(), nil
			}
			return do(ctx, r)
		}
	}
	return steps
}

// deploySteps are the plan's own steps in the slot.
func deploySteps(*Run) ([]ingot.OperationStep, error) {
	return []ingot.OperationStep{
		{Interface: "deploy", Step: "write_image", Priority: 80, Source: "plan"},
		{Interface: "deploy", Step: "prepare_instance_boot", Priority: 60, Source: "plan"},
	}, nil
}

// checkDeploy refuses what cannot succeed before the machine is touched.
func checkDeploy(_ context.Context, r *Run) (Progress, error) {
	if verdict := validateDeploy(r.Node); verdict.Result != nil && !*verdict.Result {
		return Progress{}, ingot.Fatalf("cannot deploy %s: %s", r.Node.Label(), verdict.Reason)
	}
	if len(r.Ports) == 0 && r.Node.Interfaces.Boot != "fake" && r.Node.Interfaces.Deploy != noopDeploy && !byHost(r.Node) {
		return Progress{}, ingot.Fatalf("cannot deploy %s: it has no port; create one with the MAC address that it boots from", r.Node.Label())
	}
	return Holds(), nil
}

// imageSource reads the image out of instance_info.
func imageSource(n *ingot.Node) ingot.ImageSource {
	info := n.InstanceInfo
	s := ingot.ImageSource{
		URL: ingot.Text(info, "image_source"), Checksum: ingot.Text(info, "image_os_hash_value"), ChecksumAlgo: ingot.Text(info, "image_os_hash_algo"),
		DiskFormat: ingot.Text(info, "image_disk_format"), Download: ingot.Text(info, "image_download_source"),
	}
	if s.Checksum == "" {
		s.Checksum = ingot.Text(info, "image_checksum")
	}
	if s.Download == "" {
		s.Download = ingot.Text(n.DriverInfo, "image_download_source")
	}
	return s
}

// prepareImage has the image judged and ready to be fetched.
func prepareImage(ctx context.Context, r *Run) (Progress, error) {
	source := imageSource(r.Node)
	if fromISO(r.Node) || source.URL == "" && r.Node.Interfaces.Deploy == "fake" {
		return Holds(), nil
	}
	ready, err := r.c.Images.Prepare(ctx, source)
	if err != nil {
		return Progress{}, fmt.Errorf("cannot use image %s: %w", source.URL, err)
	}
	rememberImage(r, ready)
	return Holds(), nil
}

// imageMemory is the key of an operation's memory with the image that its agent is to write.
const imageMemory = "image"

// rememberImage writes it down.
func rememberImage(r *Run, ready ingot.ImageReady) {
	r.Remember(imageMemory, map[string]any{
		"id": ready.ID, "url": ready.URL, "disk_format": ready.DiskFormat, "algo": ready.ChecksumAlgo, "checksum": ready.Checksum,
		"size": ready.Size, "virtual_size": ready.VirtualSize,
	})
}

// writeImage has the agent write the image: once in an attempt.
func writeImage(ctx context.Context, r *Run) (Progress, error) {
	image, _ := r.Op.Memory[imageMemory].(map[string]any)
	id := r.commandID()
	info := map[string]any{
		"id": id, "urls": []string{r.atBoot(ingot.Text(image, "url"))}, "disk_format": image["disk_format"], "image_type": "whole-disk-image",
		"os_hash_algo": image["algo"], "os_hash_value": image["checksum"], "checksum": image["checksum"],
		"container_format": "bare", "stream_raw_images": true, "deploy_boot_mode": string(r.bootMode()), "node_uuid": r.Node.UUID,
	}
	params := map[string]any{"image_info": info}
	if drive := r.configDriveURL(); drive != "" {
		params["configdrive"] = drive
	}
	return r.once(ctx, call{request: ingot.AgentRequest{Name: "standby.prepare_image", Params: params}, ours: carries("prepare_image", "image_info", "id", id)})
}

// installBootloader has the agent make the UEFI boot entry for what it wrote. A BIOS needs none: the image's own boot
// sector is what it starts.
func installBootloader(ctx context.Context, r *Run) (Progress, error) {
	if r.bootMode() == ingot.ModeBIOS {
		return Holds(), nil
	}
	return r.once(ctx, call{ours: named("install_bootloader"), request: ingot.AgentRequest{
		Name: "image.install_bootloader", Params: map[string]any{
			"root_uuid": nil, "efi_system_part_uuid": nil, "prep_boot_part_uuid": nil, "target_boot_mode": string(r.bootMode()), "ignore_bootloader_failure": false,
		},
	}})
}

// syncDisks has the agent flush everything, so that the power can be cut.
func syncDisks(ctx context.Context, r *Run) (Progress, error) {
	if back, lost := r.agentLost(); lost {
		return back, nil
	}
	_, err := r.askAgent(ctx, ingot.AgentRequest{Name: "standby.sync", Params: map[string]any{}})
	if err != nil {
		return r.unreachable(ctx, err)
	}
	return Holds(), nil
}

// bootNothing leaves the machine with nothing to boot from the network.
func bootNothing(_ context.Context, r *Run) (Progress, error) {
	r.setBoot(ingot.BootTarget{})
	return Holds(), nil
}
