// Package api is Ingot's HTTP interface: OpenStack Ironic's v1, microversions 1.1 to 1.115, with what Ironic has not at
// paths of its own. Every resource is a table of its fields (node_fields.go, port_fields.go) that drives rendering,
// patching and filtering, and a file of handlers that return their answer.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingot-metal/ingot"
)

// API serves users and ramdisks. Fields that are nil take their resource away: its paths answer 404.
type API struct {
	Nodes            NodeStore
	Ports            Records[ingot.Port, ingot.PortQuery]
	Portgroups       Records[ingot.Portgroup, ingot.PortgroupQuery]
	Chassis          Records[ingot.Chassis, ingot.ChassisQuery]
	VolumeConnectors Records[ingot.VolumeConnector, ingot.VolumeQuery]
	VolumeTargets    Records[ingot.VolumeTarget, ingot.VolumeQuery]
	VIFs             VIFStore // goes with Ports and Portgroups
	Shards           ShardStore
	Templates        Records[ingot.DeployTemplate, ingot.TemplateQuery]
	Runbooks         Records[ingot.Runbook, ingot.RunbookQuery]
	Rules            Records[ingot.InspectionRule, ingot.RuleQuery]
	Allocations      Records[ingot.Allocation, ingot.AllocationQuery]
	History          HistoryStore
	Inventories      InventoryStore
	Events           EventStore
	Operations       OperationStore
	Leases           LeaseStore

	FirmwareStore FirmwareStore

	// Compute makes nodes compute hosts; what is kept of them and of guests goes with it.
	Compute     Compute
	Hypervisors Records[ingot.Hypervisor, ingot.HypervisorQuery]
	GuestBMCs   GuestBMCs // virtual BMCs in front of guests
	Flavors     Records[ingot.Flavor, ingot.FlavorQuery]
	Guests      GuestStore

	Provisioner Provisioner
	Allocator   Allocator // nil leaves new allocations to whoever looks for them
	Management  Management
	Indicators  Indicators
	Firmware    Firmware
	Consoles    Consoles
	Media       Media
	Vendors     Vendors
	Agents      Agents
	Drivers     Drivers
	// Peers are the processes that speak to machines in this one's place; nil is none.
	Peers Peers
	// Networks are shown as they are configured.
	Networks []ingot.Network

	// Auth says who asks; nil serves ingot.Everybody.
	Auth Authenticator
	// OwnNodesByAdminOnly keeps project admins from creating and deleting nodes of their own (the opposite of Ironic's
	// project_admin_can_manage_own_nodes, which is on unless told).
	OwnNodesByAdminOnly bool
	// ElevatedProject is the project whose services may do what members of the system may; "" is none (Ironic:
	// rbac_service_project_name, when rbac_service_role_elevated_access is on).
	ElevatedProject string
	// StepRules are the operator's rules of single steps; nil is none.
	StepRules StepRules
	// Patience is how long clients are kept waiting.
	Patience Patience
	// Ready is asked by GET /healthz; nil is ready.
	Ready func(context.Context) error
	// Registry is what GET /metrics shows, and where the API's own figures go; nil leaves both out.
	Registry *prometheus.Registry
	// PublicURL is the base of the links in answers, without a slash at its end; "" takes the one that the client used.
	PublicURL string
	// HeartbeatTimeout is told to agents: they call at random intervals within it. 0 is 300 s, as Ironic's.
	HeartbeatTimeout time.Duration
	// DevRamdisk serves the ramdisk's routes to users too.
	DevRamdisk bool

	Logger *slog.Logger // nil is slog.Default
	// Audit gets a line for each change that was asked for; nil is Logger.
	Audit *slog.Logger
	Clock Clock
}

// Clock is the time as the API sees it; the zero value is the real one.
type Clock struct {
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

func (c Clock) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// wait lets d pass; false when ctx ended first.
func (c Clock) wait(ctx context.Context, d time.Duration) bool {
	after := c.After
	if after == nil {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = func(time.Duration) <-chan time.Time { return timer.C }
	}
	select {
	case <-ctx.Done():
		return false
	case <-after(d):
		return true
	}
}

func (a *API) log() *slog.Logger {
	if a.Logger == nil {
		return slog.Default()
	}
	return a.Logger
}

// Handler serves users: the whole API, probes and metrics.
func (a *API) Handler() http.Handler {
	t := newTables()
	return a.build(t, append(a.userRoutes(t), misplacedRoutes(t)...), false)
}

// RamdiskHandler serves machines on provisioning networks: discovery, lookup, heartbeat, continue_inspection and
// phone_home, and nothing else. It needs no authentication: agents prove themselves by their token, and who phones home is
// not believed but looked at.
func (a *API) RamdiskHandler() http.Handler {
	return a.build(newTables(), a.ramdiskRoutes(), true)
}

// ProbeHandler serves supervisors: the probes and the figures, to whoever asks, and nothing else.
func (a *API) ProbeHandler() http.Handler {
	return a.build(newTables(), a.probeRoutes(public), true)
}

// newUUID is random (RFC 9562 version 4).
func newUUID() string { return uuid.NewString() }

// newRequestID is in OpenStack's form.
func newRequestID() string { return "req-" + uuid.NewString() }
