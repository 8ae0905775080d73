// Package serve puts Ingot's parts together into one process. It is the only importable package that knows them all:
// main, the lab and end-to-end tests start the service through it.
package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/go-viper/mapstructure/v2"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/fake"
	"github.com/ingot-metal/ingot/hypervisor"
)

// Config is the whole configuration: a TOML file, environment variables (INGOT_API__LISTEN is api.listen) and flags,
// the later winning.
type Config struct {
	// Data is the folder of the embedded database, its key, the ramdisk and caches.
	Data     string          `koanf:"data"`
	Dev      bool            `koanf:"dev"`
	Hostname string          `koanf:"hostname"` // "" asks the operating system
	Roles    []string        `koanf:"roles"`    // api, conductor, pxe; empty is all
	Database Database        `koanf:"database"`
	API      API             `koanf:"api"`
	Boot     Boot            `koanf:"boot"`
	Probes   Probes          `koanf:"probes"`
	Peers    Peers           `koanf:"peers"`
	Networks []ingot.Network `koanf:"network"`
	Images   Images          `koanf:"images"`
	Drivers  []string        `koanf:"drivers"` // enabled hardware types; empty is ipmi, redfish (and manual-management and fake-hardware with dev)
	Conduct  Conduct         `koanf:"conductor"`
	GuestBMC GuestBMC        `koanf:"guest_bmc"`
	Fake     Fake            `koanf:"fake"`
	// DryListen reports what the boot service hears and would answer, and answers nothing.
	DryListen bool `koanf:"dry_listen"`
	// Rack is the fake machines of several services in one process; nil makes them the service's own.
	Rack *fake.Rack `koanf:"-"`
}

// Database says where records are kept; an empty URL is SQLite in the data folder.
type Database struct {
	URL     string `koanf:"url"`      // postgres://…
	KeyFile string `koanf:"key_file"` // of the secret that encrypts passwords; needed with a URL
	// StartEmpty lets a process start on an empty PostgreSQL although its data folder has an embedded database.
	StartEmpty bool `koanf:"start_empty"`
}

// API is the listener for users.
type API struct {
	Listen    string `koanf:"listen"`     // HOST:PORT, or fd:N for a listener that was handed over; 127.0.0.1:6385
	Auth      string `koanf:"auth"`       // none (loopback only) or http_basic
	Users     string `koanf:"users"`      // htpasswd file with bcrypt hashes, for http_basic
	PublicURL string `koanf:"public_url"` // base of links in answers
	// TLS is "" (plain HTTP, or TLS where there are files) or self-signed: a certificate that is made once, in the data
	// folder, and whose fingerprint is said at the start.
	TLS      string `koanf:"tls"`
	TLSCert  string `koanf:"tls_cert"` // PEM files of a certificate of the operator's
	TLSKey   string `koanf:"tls_key"`
	Insecure bool   `koanf:"insecure"`  // passwords may cross a network in the clear
	AuditLog string `koanf:"audit_log"` // file that gets the audit's lines too; "" leaves them in the log
	// AnswerTimeout bounds a request (60 s). A change of a node that something works on is tried as often (3) at intervals
	// (1 s) before it is refused (Ironic: node_locked_retry_attempts, node_locked_retry_interval).
	AnswerTimeout time.Duration `koanf:"answer_timeout"`
	LockedTries   int           `koanf:"node_locked_retry_attempts"`
	LockedWait    time.Duration `koanf:"node_locked_retry_interval"`
	// ProjectAdmins may create and delete nodes of their own (Ironic: project_admin_can_manage_own_nodes, true unless told).
	ProjectAdmins *bool `koanf:"project_admin_can_manage_own_nodes"`
	// StepRoles say who may ask for single steps, "bios.factory_reset" = ["system:admin", "owner:manager"]; others are open to
	// all who may give steps (Ironic: policy rules baremetal:step:execute:…).
	StepRoles map[string][]string `koanf:"step_roles"`
	// ServiceProject is the project whose services may do what members of the system may (Ironic:
	// rbac_service_project_name); "" is none.
	ServiceProject string `koanf:"rbac_service_project_name"`
}

// Boot is the listener for machines that are being provisioned.
type Boot struct {
	Listen  string `koanf:"listen"`  // HOST:PORT; "" is Port on the address of every configured network
	Port    int    `koanf:"port"`    // 8080
	URL     string `koanf:"url"`     // base URL as machines reach it; "" makes it from their network
	Ramdisk string `koanf:"ramdisk"` // folder of vmlinuz and initramfs; "" is ramdisk in the data folder
	Loaders string `koanf:"loaders"` // folder of undionly.kpxe and snponly.efi; "" is /usr/lib/ipxe
}

// Probes is the listener for supervisors and Prometheus: /healthz, /livez and /metrics without authentication. A process
// with the role api has them on its API too.
type Probes struct {
	Listen string `koanf:"listen"` // HOST:PORT; "" is no such listener
}

// GuestBMC is where the virtual BMCs in front of guests listen. Redfish speaks TLS with the API's certificate where the API
// does.
type GuestBMC struct {
	Listen string `koanf:"listen"` // address; "" has no virtual BMCs
	Ports  string `koanf:"ports"`  // FIRST-LAST, UDP and TCP; 6300-6399
}

// Images bounds where images come from.
type Images struct {
	FilePaths []string `koanf:"file_paths"` // folders that file:// sources may lie in; images in the data folder always
	CacheSize int64    `koanf:"cache_size"` // bytes; 0 is 20 GiB
}

// Conduct is the conductor's part, in seconds where Ironic has seconds.
type Conduct struct {
	Group           string        `koanf:"conductor_group"` // of the nodes that it works on; "" is that of nodes without one
	AutomatedClean  *bool         `koanf:"automated_clean"` // true
	CallbackTimeout time.Duration `koanf:"callback_timeout"`
	CommandTimeout  time.Duration `koanf:"command_timeout"`
	PowerTimeout    time.Duration `koanf:"power_timeout"`
	PowerSync       time.Duration `koanf:"power_sync"`
	// HostProbe is the time between looks at a compute host (30 s), three of which in vain make it down; HostLost is how
	// long it has to be down before it is fenced (60 s), where on_host_failure asks for that.
	HostProbe time.Duration `koanf:"host_probe_interval"`
	HostLost  time.Duration `koanf:"host_lost_after"`
	// BasesKept is how long an image that no guest's disk needs is kept on a compute host (24 h).
	BasesKept    time.Duration `koanf:"unused_image_kept"`
	ForcePower   bool          `koanf:"force_power_state_during_sync"`
	KernelParams string        `koanf:"kernel_append_params"`
	MaxDeploys   int           `koanf:"max_concurrent_deploy"`
	MaxCleans    int           `koanf:"max_concurrent_clean"`
	HistoryKept  int64         `koanf:"node_history_max_entries"` // of each node: 300
	Workers      int           `koanf:"workers"`
	LesseeSource string        `koanf:"automatic_lessee_source"` // instance, request or none; instance
	// InspectionRules is a YAML file with inspection rules that clients neither see nor change.
	InspectionRules string `koanf:"built_in_inspection_rules"`
	// CleanPriorities replace cleaning steps' priorities, by "interface.step"; 0 leaves one out.
	CleanPriorities map[string]int `koanf:"clean_step_priority_override"`
	// Which runbooks automated cleaning follows: autogenerated (none), runbook or hybrid; and by name or UUID, one for all
	// nodes, by resource class, and from driver_info's cleaning_runbook.
	CleanSource   string            `koanf:"automated_cleaning_step_source"`
	CleanBook     string            `koanf:"automated_cleaning_runbook"`
	CleanByClass  map[string]string `koanf:"automated_cleaning_runbook_by_resource_class"`
	CleanFromNode bool              `koanf:"automated_cleaning_runbook_from_node"`
	CleanByTraits *bool             `koanf:"automated_cleaning_runbook_validate_traits"` // true
	// Disallowed are the steps that nobody may have carried out, "interface.step", by kind of list (clean, deploy, service);
	// vendor.send_raw for a kind that is not named (Ironic: disallow_clean_steps and its like).
	Disallowed map[string][]string `koanf:"disallow_steps"`
}

// Fake is how long fake hardware takes: a time or, "1,5", a random one within two (Ironic: [fake]power_delay and its like, save
// for storage_delay: nothing is asked of a storage interface here).
type Fake struct {
	Power   Delay `koanf:"power_delay"`
	Boot    Delay `koanf:"boot_delay"`
	Inspect Delay `koanf:"inspect_delay"`
	Command Delay `koanf:"command_delay"`
	Deploy  Delay `koanf:"deploy_delay"`
	Rescue  Delay `koanf:"rescue_delay"`
	// Of what the other interfaces change.
	Management Delay         `koanf:"management_delay"`
	BIOS       Delay         `koanf:"bios_delay"`
	RAID       Delay         `koanf:"raid_delay"`
	Firmware   Delay         `koanf:"firmware_delay"`
	Vendor     Delay         `koanf:"vendor_delay"`
	Beat       time.Duration `koanf:"heartbeat_interval"` // between an agent's heartbeats; a minute
}

// Delay is a time of fake hardware, or a random one within two.
type Delay = fake.Delay

func (f Fake) delays() fake.Delays { return fake.Delays(f) }

// Load reads a TOML file ("" for none) and the environment. An unknown key is an error that names it.
func Load(path string) (Config, error) {
	var cfg Config
	k := koanf.New("/") // keys may hold dots: "deploy.erase_devices"
	if path != "" {
		if err := k.Load(file.Provider(path), toml.Parser()); err != nil {
			return cfg, fmt.Errorf("cannot read configuration %s: %w", path, err)
		}
	}
	fromEnv := env.Provider("/", env.Opt{Prefix: "INGOT_", TransformFunc: func(key, value string) (string, any) {
		return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(key, "INGOT_")), "__", "/"), value
	}, EnvironFunc: func() []string { return ours(os.Environ()) }})
	if err := k.Load(fromEnv, nil); err != nil {
		return cfg, fmt.Errorf("cannot read the environment: %w", err)
	}
	decode := koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: &cfg, WeaklyTypedInput: true, ErrorUnused: true, TagName: "koanf",
		DecodeHook: mapstructure.ComposeDecodeHookFunc(mapstructure.StringToTimeDurationHookFunc(), numberOfSeconds, mapstructure.TextUnmarshallerHookFunc()),
	}}
	if err := k.UnmarshalWithConf("", &cfg, decode); err != nil {
		return cfg, fmt.Errorf("cannot use configuration %s: %w", path, err)
	}
	return cfg, nil
}

// numberOfSeconds has delays of fake hardware be written as numbers.
func numberOfSeconds(_, to reflect.Type, v any) (any, error) {
	switch v.(type) {
	case int64, float64:
		if to == reflect.TypeFor[Delay]() {
			return fmt.Sprint(v), nil
		}
	}
	return v, nil
}

// ours leaves out variables that only tests and builds of Ingot read.
func ours(environment []string) []string {
	clients := []string{"INGOT_API", "INGOT_USER", "INGOT_PASSWORD", "INGOT_CA_FILE", "INGOT_FINGERPRINT", "INGOT_RESCUE_PASSWORD"} // the command line's
	var kept []string
	for _, v := range environment {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(v, "INGOT_TEST_") && !strings.HasPrefix(v, "INGOT_E2E") && !strings.HasPrefix(v, "INGOT_BUILD_") && !slices.Contains(clients, name) {
			kept = append(kept, v)
		}
	}
	return kept
}

// Check fills in defaults and refuses what cannot work, before anything is started.
func (c *Config) Check() error {
	text(&c.API.Listen, "127.0.0.1:6385")
	text(&c.API.Auth, "none")
	text(&c.Boot.Loaders, "/usr/lib/ipxe")
	if c.Boot.Port == 0 {
		c.Boot.Port = 8080
	}
	if c.Images.CacheSize == 0 {
		c.Images.CacheSize = 20 << 30
	}
	if len(c.Drivers) == 0 {
		c.Drivers = []string{"ipmi", "redfish"}
		if c.Dev {
			c.Drivers = append(c.Drivers, "manual-management", "fake-hardware")
		}
	}
	if c.Data == "" {
		return errors.New("cannot start: no data folder; give --data DIR, or data in the configuration")
	}
	text(&c.Boot.Ramdisk, filepath.Join(c.Data, "ramdisk"))
	if c.Hostname == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("cannot find this machine's host name; set hostname: %w", err)
		}
		c.Hostname = name
	}
	c.Conduct.Group = strings.ToLower(c.Conduct.Group)
	return errors.Join(c.checkRoles(), c.checkAuth(), c.checkTLS(), c.checkLessee(), c.checkCleaning(), c.checkGuestBMC(), c.checkDrivers(), c.checkNetworks())
}

func text(s *string, otherwise string) {
	if *s == "" {
		*s = otherwise
	}
}

func (c *Config) checkDrivers() error {
	rows := table()
	for _, name := range c.Drivers {
		if _, known := rows[name]; !known {
			return fmt.Errorf("cannot start: driver %q is not known; known are ipmi, redfish, manual-management, libvirt, fake-hardware", name)
		}
		if name == ingot.GuestDriver && !hypervisor.Built {
			return fmt.Errorf("cannot start: driver %s is not in this build: build ingot with CGO_ENABLED=1 and -tags libvirt_dlopen", name)
		}
	}
	return nil
}

// checkNetworks fills in each network's own address and refuses networks that overlap.
func (c *Config) checkNetworks() error {
	names := map[string]bool{}
	for i := range c.Networks {
		n := &c.Networks[i]
		if n.DHCP == "" {
			n.DHCP = ingot.DHCPOff
		}
		switch {
		case n.Name == "" || names[n.Name]:
			return fmt.Errorf("cannot start: network %d needs a name of its own", i+1)
		case n.Interface == "":
			return fmt.Errorf("cannot start: network %s names no interface", n.Name)
		case !n.Subnet.IsValid():
			return fmt.Errorf("cannot start: network %s has no subnet", n.Name)
		}
		names[n.Name] = true
		if !n.Address.IsValid() {
			addr, err := addressIn(n.Interface, n.Subnet)
			if err != nil {
				return fmt.Errorf("cannot start: network %s: %w", n.Name, err)
			}
			n.Address = addr
		}
	}
	return nil
}

// addressIn finds the address that an interface has in a subnet.
func addressIn(name string, subnet netip.Prefix) (netip.Addr, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("interface %s: %w", name, err)
	}
	addrs, err := i.Addrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("interface %s: %w", name, err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && subnet.Contains(p.Addr()) {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("interface %s has no address in %s", name, subnet)
}

// ramdisk is the built-in ramdisk's files by the names that machines ask for; nil when it has not been built.
func (c *Config) ramdisk() map[string]string {
	files := map[string]string{"vmlinuz": filepath.Join(c.Boot.Ramdisk, "vmlinuz"), "initramfs": filepath.Join(c.Boot.Ramdisk, "initramfs.zst")}
	for _, path := range files {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return files
}
