package main

import (
	"context"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// nodeVerbs are the verbs of Ironic's state table.
type nodeVerbs struct {
	Manage   verbManage   `cmd:"" group:"verbs" help:"Verify a node's BMC: enroll to manageable; also from available and failed states."`
	Inspect  verbInspect  `cmd:"" group:"verbs" help:"Find out what hardware a node has."`
	Provide  verbProvide  `cmd:"" group:"verbs" help:"Clean a node and make it available."`
	Clean    verbClean    `cmd:"" group:"verbs" help:"Run clean steps on a manageable node."`
	Deploy   verbDeploy   `cmd:"" group:"verbs" help:"Write instance_info's image to an available node and boot it."`
	Rebuild  verbRebuild  `cmd:"" group:"verbs" help:"Deploy an active node again."`
	Undeploy verbUndeploy `cmd:"" group:"verbs" help:"Take the instance down and clean the node."`
	Adopt    verbAdopt    `cmd:"" group:"verbs" help:"Take over a node that has its instance already."`
	Rescue   verbRescue   `cmd:"" group:"verbs" help:"Boot an active node into the rescue ramdisk."`
	Unrescue verbUnrescue `cmd:"" group:"verbs" help:"Boot a rescued node into its instance again."`
	Service  verbService  `cmd:"" group:"verbs" help:"Run service steps on an active node."`
	Unhold   verbUnhold   `cmd:"" group:"verbs" help:"Let a node go on that a hold step keeps."`
	Abort    verbAbort    `cmd:"" group:"verbs" help:"Stop what goes on with a node."`
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

// Each verb with what it takes.
type (
	verbManage   struct{ verb }
	verbInspect  struct{ verb }
	verbProvide  struct{ verb }
	verbAdopt    struct{ verb }
	verbUnrescue struct{ verb }
	verbUnhold   struct{ verb }
	verbAbort    struct{ verb }
	verbUndeploy struct{ verb }

	verbClean struct {
		verb
		Steps          string `help:"Steps as JSON or YAML, or @FILE."`
		Runbook        string `help:"Runbook instead of steps."`
		DisableRamdisk *bool  `name:"disable-ramdisk" help:"Run the steps without booting the ramdisk."`
	}
	verbDeploy struct {
		verb
		ConfigDrive string `name:"config-drive" help:"URL, or JSON or YAML with meta_data, user_data, network_data; @FILE reads it from a file."`
		Steps       string `help:"Deploy steps as JSON or YAML, or @FILE."`
	}
	verbRebuild verbDeploy
	verbRescue  struct {
		verb
		RescuePassword string `required:"" name:"rescue-password" env:"INGOT_RESCUE_PASSWORD" help:"For the user \"rescue\" of the rescue ramdisk."`
	}
	verbService verbClean
)

// Run asks for manage.
func (v *verbManage) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbManage})
}

// Run asks for inspect.
func (v *verbInspect) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbInspect})
}

// Run asks for provide.
func (v *verbProvide) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbProvide})
}

// Run asks for adopt.
func (v *verbAdopt) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbAdopt})
}

// Run asks for unrescue.
func (v *verbUnrescue) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbUnrescue})
}

// Run asks for unhold.
func (v *verbUnhold) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbUnhold})
}

// Run asks for abort.
func (v *verbAbort) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbAbort})
}

// Run asks for deleted, which is what Ironic calls it.
func (v *verbUndeploy) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbDeleted})
}

// Run asks for rescue.
func (v *verbRescue) Run(ctx context.Context, s *session) error {
	return v.run(ctx, s, client.Provision{Target: ingot.VerbRescue, RescuePassword: v.RescuePassword})
}

// Run asks for clean.
func (v *verbClean) Run(ctx context.Context, s *session) error {
	list, err := steps(v.Steps)
	if err != nil {
		return err
	}
	return v.run(ctx, s, client.Provision{Target: ingot.VerbClean, CleanSteps: list, Runbook: v.Runbook, DisableRamdisk: v.DisableRamdisk})
}

// Run asks for service.
func (v *verbService) Run(ctx context.Context, s *session) error {
	list, err := steps(v.Steps)
	if err != nil {
		return err
	}
	return v.run(ctx, s, client.Provision{Target: ingot.VerbService, ServiceSteps: list, Runbook: v.Runbook, DisableRamdisk: v.DisableRamdisk})
}

// Run asks for active.
func (v *verbDeploy) Run(ctx context.Context, s *session) error {
	return v.deploy(ctx, s, ingot.VerbActive)
}

// Run asks for rebuild.
func (v *verbRebuild) Run(ctx context.Context, s *session) error {
	return (*verbDeploy)(v).deploy(ctx, s, ingot.VerbRebuild)
}

func (v *verbDeploy) deploy(ctx context.Context, s *session, target ingot.Verb) error {
	list, err := steps(v.Steps)
	if err != nil {
		return err
	}
	drive, err := configDrive(v.ConfigDrive)
	if err != nil {
		return err
	}
	return v.run(ctx, s, client.Provision{Target: target, DeploySteps: list, ConfigDrive: drive})
}
