// Package conductor carries operations out: it decides what a verb means for a node, asks the steps of its plan until
// they hold, answers what a machine is to boot, listens to the agents, and keeps the recorded power true.
package conductor

import (
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/errand"
)

// Conductor is the engine with its plans. Fields are set once, before Run.
type Conductor struct {
	ID          string // random for each process start: the owner of BMC leases
	Hostname    string // the claimer of operations, which clients see as reservation and conductor
	Group       string // conductor_group of the nodes that it works on
	Pulse       *Pulse // how it lives among others; nil is alone
	Figures     *Figures
	Operations  Operations
	Wakes       Wakes
	Nodes       Nodes
	NodePorts   NodePorts
	Leases      Leases
	Blobs       Blobs
	Firmware    Firmware
	Machines    Machines
	Images      ingot.ImagePreparer
	ImageBytes  ingot.ImageOpener // for guests' disks
	ImageFinder ingot.ImageFinder // nil: a deploy finds out whether a guest's image is there
	Guests      *Guests           // nil: there are no compute hosts
	Disks       ingot.DiskKeeper  // for disks on their way from guests to metal and back
	Allocations Allocations       // nil: nobody looks for nodes
	Templates   Templates         // nil: there are none
	Runbooks    Runbooks          // needed where Settings.CleanBooks names some
	Rules       Rules             // nil: there are none but the built-in ones
	// BuiltInRules are inspection rules from the operator's file, which clients neither see nor change.
	BuiltInRules []ingot.InspectionRule
	Log          *slog.Logger
	Now          func() time.Time // nil is time.Now
	Settings     Settings
	// BootURL gives the base URL of the boot listener ("http://10.0.0.1:8080") as a machine with this address reaches
	// it; an invalid address asks for the default one.
	BootURL func(netip.Addr) string
	// Ramdisk finds the built-in ramdisk's files by name (vmlinuz, initramfs.zst); nil when none is built.
	Ramdisk map[string]string
	// Events publishes progress that is not worth a transaction of its own; nil drops it.
	Events func(ctx context.Context, events ...ingot.Event) error
	// Intercept, when set, wraps every asking of a step: tests kill there.
	Intercept func(ctx context.Context, r *Run, step Step, do func() (Progress, error)) (Progress, error)

	plans      map[ingot.Kind]Plan
	talking    keyed
	reading    errand.Board // disks, by the copy's key
	claims     claims
	news       guestNews
	evidence   chan ingot.BootEvidence
	allocating chan struct{}
	arrivals   arrivals
	nudge      chan struct{} // a pass of this process was committed: what is due next may have changed
}

// Settings are the operator's choices. Zero fields mean the default named beside them.
type Settings struct {
	Workers          int           // passes at a time: 64
	Poll             time.Duration // floor of the wakes: 1 s
	StrayEvery       time.Duration // between looks for claims whose answer was lost: 5 s
	StepTimeout      time.Duration // a step without its own: 5 min
	CallbackTimeout  time.Duration // waiting for an agent to call, Ironic's deploy_callback_timeout and its like: 1800 s
	CommandTimeout   time.Duration // one agent command from start to end: 4 h
	PowerTimeout     time.Duration // a power change: 60 s
	SoftPowerTimeout time.Duration // a soft power change: 600 s
	AbortDeadline    time.Duration // making a machine safe: 5 min
	MaxAttempts      int           // beginnings of one operation: 3
	AutomatedClean   bool          // clean on provide and delete unless the node says otherwise
	PowerSync        time.Duration // between looks at all machines' power: 120 s; negative is never
	PowerRetries     int           // looks in a row that may fail before the fault: 3
	ForcePower       bool          // put power back to what is recorded, instead of recording what is seen
	KernelParams     string        // appended to every ramdisk's command line
	MaxDeploys       int           // operations of deploy and rebuild at a time, max_concurrent_deploy: 250
	MaxCleans        int           // operations that clean at a time, max_concurrent_clean: 50
	EvidenceKept     int           // entries of boot evidence on a node: 16
	LesseeSource     string        // where a deploy takes the lessee from, automatic_lessee_source: LesseeOfInstance
	WaitStepMost     time.Duration // the longest wait step, max_conductor_wait_step_seconds: 30 s
	// CleanPriorities replace the priorities of automated cleaning's steps, by "interface.step"; 0 leaves a step out
	// (Ironic: clean_step_priority_override). nil leaves out deploy.erase_devices, which overwrites whole disks for
	// hours: metadata is erased all the same. A manual clean can ask for any step.
	CleanPriorities map[string]int
	CleanBooks      CleanBooks // which runbooks automated cleaning follows
	// Disallowed are the steps that nobody may have carried out, "interface.step", by kind of list: clean, deploy, service
	// (Ironic: disallow_clean_steps and its like). A kind without an entry has Ironic's: vendor.send_raw.
	Disallowed map[string][]string
}

// defaults fills in what the operator left out.
func (s Settings) defaults() Settings {
	setDuration(&s.Poll, time.Second)
	setDuration(&s.StrayEvery, 5*time.Second)
	setDuration(&s.StepTimeout, 5*time.Minute)
	setDuration(&s.CallbackTimeout, 30*time.Minute)
	setDuration(&s.CommandTimeout, 4*time.Hour)
	setDuration(&s.PowerTimeout, time.Minute)
	setDuration(&s.SoftPowerTimeout, 10*time.Minute)
	setDuration(&s.AbortDeadline, 5*time.Minute)
	setDuration(&s.PowerSync, 2*time.Minute)
	setDuration(&s.WaitStepMost, 30*time.Second)
	setInt(&s.Workers, 64)
	setInt(&s.MaxAttempts, 3)
	setInt(&s.PowerRetries, 3)
	setInt(&s.MaxDeploys, 250)
	setInt(&s.MaxCleans, 50)
	setInt(&s.EvidenceKept, 16)
	if s.CleanPriorities == nil {
		s.CleanPriorities = map[string]int{"deploy.erase_devices": 0}
	}
	return s
}

func setDuration(d *time.Duration, otherwise time.Duration) {
	if *d == 0 {
		*d = otherwise
	}
}

func setInt(n *int, otherwise int) {
	if *n == 0 {
		*n = otherwise
	}
}

// Prepare fills in defaults; call it once, before anything else.
func (c *Conductor) Prepare() {
	c.Settings = c.Settings.defaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.plans = c.allPlans()
	c.allocating = make(chan struct{}, 1)
	if c.Guests != nil {
		c.Guests.prepare()
	}
	c.news.some = make(chan struct{}, 1)
	c.evidence = make(chan ingot.BootEvidence, 256)
	c.nudge = make(chan struct{}, 1)
	if c.Pulse != nil {
		c.Pulse.figures = c.Figures
		c.Pulse.defaults()
	}
}

// claimer is this conductor as the store knows it.
func (c *Conductor) claimer() ingot.Claimer {
	by := ingot.Claimer{Hostname: c.Hostname, Group: c.Group, Share: c.Pulse.preferred()}
	if c.Pulse != nil {
		by.Process = c.Pulse.Self.Process
	}
	return by
}

// allPlans is the table of what this build can carry out.
func (c *Conductor) allPlans() map[ingot.Kind]Plan {
	plans := map[ingot.Kind]Plan{
		ingot.KindVerify:   verifyPlan(),
		ingot.KindInspect:  c.inspectPlan(),
		ingot.KindProvide:  c.providePlan(),
		ingot.KindClean:    c.cleanPlan(),
		ingot.KindDeploy:   c.deployPlan(),
		ingot.KindRebuild:  c.deployPlan(),
		ingot.KindDelete:   c.deletePlan(),
		ingot.KindAdopt:    c.adoptPlan(),
		ingot.KindRescue:   c.rescuePlan(),
		ingot.KindUnrescue: c.unrescuePlan(),
		ingot.KindService:  c.servicePlan(),
		ingot.KindRestore:  c.restorePlan(),
		ingot.KindPower:    c.powerPlan(),
		ingot.KindFence:    c.fencePlan(),
		ingot.KindRecover:  c.recoverPlan(),
		ingot.KindToMetal:  c.toMetalPlan(),
		ingot.KindToGuest:  c.toGuestPlan(),
	}
	maps.Copy(plans, c.asidePlans())
	return plans
}

// Run carries out operations until ctx ends; passes under way are finished first, and then the conductor leaves. With a
// Pulse, which must have joined, it fails when another process lives under its name.
func (c *Conductor) Run(ctx context.Context) error {
	beating, leave := context.WithCancel(context.WithoutCancel(ctx))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.Pulse.Run(beating) })
	group.Go(func() error {
		defer leave()
		work, ctx := errgroup.WithContext(ctx)
		work.Go(func() error { return c.engine(ctx) })
		work.Go(func() error { return c.powerSync(ctx) })
		work.Go(func() error { return c.allocator(ctx) })
		work.Go(func() error { return c.watchHosts(ctx) })
		return work.Wait()
	})
	return group.Wait()
}
