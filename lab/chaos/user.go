package chaos

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// user is somebody who works with one node: asks for this and that, waits for it, and changes their mind.
type user struct {
	*clients
	node   string
	images []image
	random *rand.Rand
	think  time.Duration // the most between two requests
}

// run works until ctx ends.
func (u *user) run(ctx context.Context) {
	for pause(ctx, between(u.random, 0, u.think)) {
		n, err := u.read(ctx, u.any(u.random), u.node)
		switch {
		case err != nil:
			continue
		case n.ProvisionState.Busy():
			u.watch(ctx, n)
		case n.Maintenance:
			ctx, cancel := context.WithTimeout(ctx, answerPatience)
			_ = u.any(u.random).SetMaintenance(ctx, u.node, false, "") // seen at the next read
			cancel()
		case n.TargetPowerState != "":
			u.wait(ctx, u.node, 2*time.Second)
		default:
			u.act(ctx, n)
		}
	}
}

// watch waits for what is under way, or interferes with it.
func (u *user) watch(ctx context.Context, n client.Node) {
	switch dice := u.random.IntN(100); {
	case dice < 4 && n.ProvisionState == ingot.DeployWait:
		u.ask(ctx, Request{Verb: "deleted"}, client.Provision{})
	case dice < 4 && (n.ProvisionState == ingot.CleanWait || n.ProvisionState == ingot.InspectWait || n.ProvisionState == ingot.RescueWait):
		u.ask(ctx, Request{Verb: "abort"}, client.Provision{})
	case dice < 6: // which the table does not have
		u.ask(ctx, Request{Verb: "provide"}, client.Provision{})
	default:
		u.wait(ctx, u.node, 5*time.Second)
	}
}

func (u *user) ask(ctx context.Context, q Request, p client.Provision) Answer {
	q.Node = u.node
	return u.provision(ctx, u.any(u.random), q, p)
}

// wishes are what a user may want of a node in a state that lasts, those more often that stand more often.
func wishes(s ingot.State) []string {
	switch s {
	case ingot.Enroll, ingot.CleanFailed, ingot.AdoptFailed:
		return []string{"manage"}
	case ingot.Manageable:
		return []string{"provide", "provide", "provide", "provide", "inspect", "clean", "power on", "power off", "deleted"}
	case ingot.Available:
		return []string{"active", "active", "active", "active", "active", "manage", "power off"}
	case ingot.Active:
		return []string{"deleted", "deleted", "deleted", "rebuild", "rebuild", "rescue", "power off", "rebooting", "power on", "active"}
	case ingot.Rescue:
		return []string{"unrescue", "unrescue", "deleted", "rescue"}
	case ingot.DeployFailed:
		return []string{"active", "rebuild", "deleted"}
	case ingot.InspectFailed:
		return []string{"manage", "inspect"}
	case ingot.RescueFailed, ingot.UnrescueFailed:
		return []string{"rescue", "unrescue", "deleted"}
	case ingot.ErrorState:
		return []string{"deleted"}
	}
	return nil
}

// act asks for something.
func (u *user) act(ctx context.Context, n client.Node) {
	list := wishes(n.ProvisionState)
	if len(list) == 0 {
		return
	}
	switch wish := list[u.random.IntN(len(list))]; wish {
	case "power on", "power off", "rebooting":
		target, _ := Request{Verb: wish}.power()
		if wish == "rebooting" {
			target = ingot.TargetReboot
		}
		u.power(ctx, u.any(u.random), u.node, target)
	case "active", "rebuild":
		u.deploy(ctx, wish)
	case "clean":
		step := map[string]any{"interface": "deploy", "step": "erase_devices_metadata"}
		u.ask(ctx, Request{Verb: wish}, client.Provision{CleanSteps: []map[string]any{step}})
	case "rescue":
		u.ask(ctx, Request{Verb: wish}, client.Provision{RescuePassword: "chaos"})
	default:
		u.ask(ctx, Request{Verb: wish}, client.Provision{})
	}
}

// deploy says which image, and asks for it when that is known to be there.
func (u *user) deploy(ctx context.Context, verb string) {
	image := u.images[u.random.IntN(len(u.images))]
	api := u.any(u.random)
	patched, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	after, err := api.PatchNode(patched, u.node,
		client.Set("/instance_info/image_source", image.source()), client.Set("/instance_info/image_os_hash_value", image.sum), client.Set("/instance_info/image_disk_format", "raw"))
	if err != nil || ingot.Text(after.InstanceInfo, "image_os_hash_value") != image.sum || !slices.Contains(wishes(after.ProvisionState), verb) {
		return
	}
	u.ask(ctx, Request{Verb: verb, Image: image.sum}, client.Provision{})
}
