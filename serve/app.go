package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/guestbmc"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/images"
	"github.com/ingot-metal/ingot/pxe"
	"github.com/ingot-metal/ingot/store"
)

// App is a service that was wired and has opened its store and its listeners, but does nothing yet.
type App struct {
	Config    Config
	Store     *store.Store
	Conductor *conductor.Conductor
	API       *api.API

	log        *slog.Logger
	process    string // random for each start
	seat       *seat  // nil where none is needed
	images     *images.Service
	hosts      *hypervisor.Hosts // compute hosts
	guestBMC   *guestbmc.Service // nil is none
	pxe        *pxe.Server
	apiListen  net.Listener
	apiPrint   string   // SHA-256 of the API's certificate; "" is plain HTTP
	auditFile  *os.File // nil is none
	bootListen []net.Listener
	probes     net.Listener // nil is none
	peers      *peers       // nil on an embedded database
	peerListen net.Listener // nil is none
}

// New wires a service. What it opened is closed again when it fails.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*App, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(cfg.Data, "images"), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data folder: %w", err)
	}
	a := &App{Config: cfg, log: log, process: uuid.NewString()}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// open opens the store and the listeners and wires what stands on them.
func (a *App) open(ctx context.Context) (err error) {
	cfg := &a.Config
	config := store.Config{Path: filepath.Join(cfg.Data, "ingot.db"), KeyFile: cfg.Database.KeyFile, Host: cfg.Hostname, HistoryKept: cfg.Conduct.HistoryKept, Logger: a.log}
	if cfg.Database.URL != "" {
		config.Path, config.URL = "", cfg.Database.URL
	}
	if cfg.Database.URL != "" && cfg.has(roleConductor) {
		if a.seat, err = takeSeat(cfg.Data, cfg.Hostname, a.process); err != nil {
			return err
		}
	}
	if a.Store, err = store.Open(ctx, config); err != nil {
		return err
	}
	if err = a.refuseForgotten(ctx); err != nil {
		return err
	}
	if err = a.openPeers(); err != nil {
		return err
	}
	if cfg.has(roleAPI) {
		if err = a.openAPI(); err != nil {
			return err
		}
	}
	if cfg.Probes.Listen != "" {
		if a.probes, err = listen(cfg.Probes.Listen); err != nil {
			return fmt.Errorf("the listener for probes: %w", err)
		}
	}
	if cfg.has(rolePXE) {
		if a.bootListen, err = cfg.bootListeners(); err != nil {
			return err
		}
	}
	return a.wire()
}

// settings are the conductor's part of the configuration.
func (c Conduct) settings() conductor.Settings {
	return conductor.Settings{
		Workers: c.Workers, CallbackTimeout: c.CallbackTimeout, CommandTimeout: c.CommandTimeout, PowerTimeout: c.PowerTimeout, PowerSync: c.PowerSync,
		CleanPriorities: c.CleanPriorities, Disallowed: c.Disallowed, ForcePower: c.ForcePower, KernelParams: c.KernelParams, MaxDeploys: c.MaxDeploys, MaxCleans: c.MaxCleans,
		CleanBooks: conductor.CleanBooks{
			Source: c.CleanSource, Runbook: c.CleanBook, ByClass: c.CleanByClass, FromNode: c.CleanFromNode, AnyNode: c.CleanByTraits != nil && !*c.CleanByTraits,
		},
		LesseeSource: c.LesseeSource, AutomatedClean: c.AutomatedClean == nil || *c.AutomatedClean,
	}
}

// component is a part that runs until its context ends.
type component struct {
	name string
	run  func(context.Context) error
}

// components are the parts of this process's roles, in the order in which they start; they stop in reverse.
func (a *App) components() []component {
	var parts []component
	if a.probes != nil { // first, so that it stops last: it says that the others stop
		parts = append(parts, component{"probes", func(ctx context.Context) error { return serveHTTP(ctx, a.API.ProbeHandler(), a.probes) }})
	}
	add := func(role string, more ...component) {
		if a.Config.has(role) {
			parts = append(parts, more...)
		}
	}
	add(roleConductor,
		component{"conductor", a.Conductor.Run},
		component{"pruning", a.prune})
	if a.peerListen != nil {
		add(roleConductor, component{"peers", func(ctx context.Context) error { return serveHTTP(ctx, a.peerHandler(), a.peerListen) }})
	}
	add(rolePXE,
		component{"boot evidence", a.Conductor.KeepEvidence},
		component{"boot listener", func(ctx context.Context) error { return serveHTTP(ctx, a.bootHandler(), a.bootListen...) }},
		component{"boot service", a.pxe.Run})
	add(roleAPI,
		component{"api", func(ctx context.Context) error { return serveHTTP(ctx, a.userHandler(), a.apiListen) }})
	if a.guestBMC != nil {
		add(roleAPI, component{"virtual BMCs", a.guestBMC.Run})
	}
	return parts
}

// Run puts back what an earlier process had claimed and runs all components until ctx ends or one fails.
func (a *App) Run(ctx context.Context) error {
	if err := a.join(ctx); err != nil {
		return errors.Join(err, a.Close())
	}
	if a.apiPrint != "" {
		a.log.Info("the API speaks TLS; clients can pin its certificate", "fingerprint", a.apiPrint)
	}
	a.log.Info("ingot is up", "api", a.APIAddress(), "boot", a.Config.bootURL(netip.Addr{}), "data", a.Config.Data, "drivers", a.Config.Drivers)
	return errors.Join(runAll(ctx, a.log, a.components()), a.Close())
}

// runAll starts components in order and stops them in reverse: each has a context of its own.
func runAll(ctx context.Context, log *slog.Logger, parts []component) error {
	group, failing := errgroup.WithContext(ctx)
	stops := make([]func(), 0, len(parts))
	for _, part := range parts {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		stops = append(stops, func() { cancel(); <-done })
		group.Go(func() error {
			defer close(done)
			if err := part.run(own); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
			return nil
		})
	}
	group.Go(func() error {
		<-failing.Done()
		for i := len(stops) - 1; i >= 0; i-- {
			log.Debug("stopping", "part", parts[i].name)
			stops[i]()
		}
		return nil
	})
	return group.Wait()
}

// userHandler is everything on the API listener.
func (a *App) userHandler() http.Handler {
	if !a.Config.Dev {
		return a.API.Handler()
	}
	mux := http.NewServeMux()
	a.bootRoutes(mux)
	mux.Handle("/", a.API.Handler())
	return mux
}

// bootHandler is everything on the boot listener: what machines need while they are provisioned, and nothing else.
func (a *App) bootHandler() http.Handler {
	mux := http.NewServeMux()
	a.bootRoutes(mux)
	mux.Handle("/", a.API.RamdiskHandler())
	return mux
}

func (a *App) bootRoutes(mux *http.ServeMux) {
	mux.Handle("/boot/", a.pxe.Handler())
	mux.Handle("/images/", a.images.Handler())
}

// APIAddress is where the API listens; "" without that role.
func (a *App) APIAddress() string {
	if a.apiListen == nil {
		return ""
	}
	return a.apiListen.Addr().String()
}

// ProbeAddress is where the probes' listener is; "" is none.
func (a *App) ProbeAddress() string {
	if a.probes == nil {
		return ""
	}
	return a.probes.Addr().String()
}

// prune removes old history, events and leases once an hour.
func (a *App) prune(ctx context.Context) error {
	for {
		if err := a.Store.Prune(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("cannot prune the store; trying again in an hour", "error", err)
		}
		if !wait(ctx, time.Hour) {
			return nil
		}
	}
}

// wait lets d pass; false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Close closes what New opened.
func (a *App) Close() error {
	var errs []error
	if a.apiListen != nil {
		errs = append(errs, ignoreClosed(a.apiListen.Close()))
	}
	if a.probes != nil {
		errs = append(errs, ignoreClosed(a.probes.Close()))
	}
	if a.peerListen != nil {
		errs = append(errs, ignoreClosed(a.peerListen.Close()))
	}
	for _, l := range a.bootListen {
		errs = append(errs, ignoreClosed(l.Close()))
	}
	if a.hosts != nil {
		errs = append(errs, a.hosts.Close())
	}
	if a.Store != nil {
		errs = append(errs, a.Store.Close())
	}
	if a.auditFile != nil {
		errs = append(errs, a.auditFile.Close())
	}
	errs = append(errs, a.seat.leave())
	return errors.Join(errs...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
