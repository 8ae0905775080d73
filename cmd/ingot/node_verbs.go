package main

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// nodeVerbs are the verbs of Ironic's state table.
type nodeVerbs struct {
	Manage   plainVerb  `cmd:"" group:"verbs" help:"Verify a node's BMC: enroll to manageable; also from available and failed states."`
	Inspect  plainVerb  `cmd:"" group:"verbs" help:"Find out what hardware a node has."`
	Provide  plainVerb  `cmd:"" group:"verbs" help:"Clean a node and make it available."`
	Clean    stepsVerb  `cmd:"" group:"verbs" help:"Run clean steps on a manageable node."`
	Deploy   deployVerb `cmd:"" group:"verbs" help:"Write instance_info's image to an available node and boot it."`
	Rebuild  deployVerb `cmd:"" group:"verbs" help:"Deploy an active node again."`
	Undeploy plainVerb  `cmd:"" group:"verbs" help:"Take the instance down and clean the node."`
	Adopt    plainVerb  `cmd:"" group:"verbs" help:"Take over a node that has its instance already."`
	Rescue   rescueVerb `cmd:"" group:"verbs" help:"Boot an active node into the rescue ramdisk."`
	Unrescue plainVerb  `cmd:"" group:"verbs" help:"Boot a rescued node into its instance again."`
	Service  stepsVerb  `cmd:"" group:"verbs" help:"Run service steps on an active node."`

	ToMetal toMetalVerb `cmd:"" name:"to-metal" group:"verbs" help:"Have a guest's instance go on on metal."`
	ToGuest toGuestVerb `cmd:"" name:"to-guest" group:"verbs" help:"Have a server's instance go on as a guest."`

	Unhold plainVerb `cmd:"" group:"verbs" help:"Let a node go on that a hold step keeps."`
	Abort  plainVerb `cmd:"" group:"verbs" help:"Stop what goes on with a node."`
}

// verb are the arguments of every verb.
type verb struct {
	Nodes []string `arg:"" name:"node" help:"UUIDs or names."`
	Wait  waiting  `help:"Wait until it is done, showing how it goes; --wait=30m waits no longer." placeholder:"TIME"`
}

// run asks all nodes, and waits for them when it is told to.
func (v *verb) run(ctx context.Context, s *session, p client.Provision) error {
	ask := func(ctx context.Context, name string) error { return s.SetProvision(ctx, name, p) }
	if !v.Wait.on {
		return each(ctx, v.Nodes, ask)
	}
	var all []asked
	for _, name := range v.Nodes {
		node, err := s.Node(ctx, name)
		if err != nil {
			return err
		}
		a := asked{node: node, ask: func(ctx context.Context) error { return ask(ctx, name) }}
		a.wait = s.waitState(name, goals(node, p.Target)...)
		all = append(all, a)
	}
	return v.Wait.carry(ctx, s, title(p.Target), all)
}

// title is what people call a verb.
func title(v ingot.Verb) string {
	switch v {
	case ingot.VerbActive:
		return "deploy"
	case ingot.VerbDeleted:
		return "undeploy"
	}
	return string(v)
}

// target is the verb that a command's name stands for.
func target(command *kong.Context) ingot.Verb {
	name := command.Selected().Name
	for _, v := range []ingot.Verb{ingot.VerbActive, ingot.VerbDeleted} {
		if title(v) == name {
			return v
		}
	}
	return ingot.Verb(name)
}

// Verbs by what they take.
type (
	plainVerb struct{ verb }
	stepsVerb struct {
		verb
		Steps          string `help:"Steps as JSON or YAML, or @FILE."`
		Runbook        string `help:"Runbook instead of steps."`
		DisableRamdisk *bool  `name:"disable-ramdisk" help:"Run the steps without booting the ramdisk."`
	}
	deployVerb struct {
		verb
		ConfigDrive string `name:"config-drive" help:"URL, or JSON or YAML with meta_data, user_data, network_data; @FILE reads it from a file."`
		Steps       string `help:"Deploy steps as JSON or YAML, or @FILE."`
	}
	rescueVerb struct {
		verb
		RescuePassword string `required:"" name:"rescue-password" env:"INGOT_RESCUE_PASSWORD" help:"For the user \"rescue\" of the rescue ramdisk."`
	}
)

// Run asks for it.
func (v *plainVerb) Run(ctx context.Context, s *session, command *kong.Context) error {
	return v.run(ctx, s, client.Provision{Target: target(command)})
}

// Run asks for it with steps.
func (v *stepsVerb) Run(ctx context.Context, s *session, command *kong.Context) error {
	list, err := steps(v.Steps)
	if err != nil {
		return err
	}
	p := client.Provision{Target: target(command), Runbook: v.Runbook, DisableRamdisk: v.DisableRamdisk}
	if p.Target == ingot.VerbClean {
		p.CleanSteps = list
	} else {
		p.ServiceSteps = list
	}
	return v.run(ctx, s, p)
}

// Run asks for it with steps and a config drive.
func (v *deployVerb) Run(ctx context.Context, s *session, command *kong.Context) error {
	list, err := steps(v.Steps)
	if err != nil {
		return err
	}
	drive, err := configDrive(v.ConfigDrive)
	if err != nil {
		return err
	}
	return v.run(ctx, s, client.Provision{Target: target(command), DeploySteps: list, ConfigDrive: drive})
}

// Run asks for it with a password.
func (v *rescueVerb) Run(ctx context.Context, s *session, command *kong.Context) error {
	return v.run(ctx, s, client.Provision{Target: target(command), RescuePassword: v.RescuePassword})
}
