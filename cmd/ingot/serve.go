package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/ingot-metal/ingot/serve"
)

// serveCommand is `ingot serve`. Flags win over the environment, which wins over the file.
type serveCommand struct {
	Config     string   `help:"TOML configuration file." type:"existingfile"`
	Data       string   `help:"Folder of the embedded database, its key, the ramdisk and caches."`
	APIListen  string   `name:"api-listen" help:"HOST:PORT of the API; 127.0.0.1:6385 unless told."`
	BootListen string   `name:"boot-listen" help:"HOST:PORT of the boot listener; the networks' own addresses unless told."`
	Roles      []string `help:"What this process does: api, conductor, pxe; all unless told. Needs --database."`
	Database   string   `help:"postgres:// URL; without it an SQLite file in the data folder."`
	Dev        bool     `help:"For trying things on one machine: fake-hardware enabled, ramdisk routes on the API listener too, log for people."`
	DryListen  bool     `name:"dry-listen" help:"Only report what the boot service hears and would answer."`
	Verbose    bool     `short:"v" help:"Log debug messages."`
}

// Run runs the service until it is told to stop.
func (s *serveCommand) Run(ctx context.Context) error {
	cfg, err := serve.Load(s.Config)
	if err != nil {
		return err
	}
	s.override(&cfg)
	app, err := serve.New(ctx, cfg, logger(cfg.Dev, s.Verbose))
	if err != nil {
		return err
	}
	settleMemory()
	return app.Run(ctx)
}

// The collector's settings where the environment (GOGC, GOMEMLIMIT) has none. A service has a few megabytes that live long,
// and would go over them again for each few that requests leave behind: it does so a third as often, until it has grown to
// where memory is worth more than time.
const (
	gcPercent   = 300
	memoryLimit = 64 << 20
)

// settleMemory sets the collector up for serving, and gives back what starting took.
func settleMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
	debug.FreeOSMemory()
}

// override puts the flags that were given into the configuration.
func (s *serveCommand) override(cfg *serve.Config) {
	for _, o := range []struct {
		place *string
		value string
	}{{&cfg.Data, s.Data}, {&cfg.API.Listen, s.APIListen}, {&cfg.Boot.Listen, s.BootListen}, {&cfg.Database.URL, s.Database}} {
		if o.value != "" {
			*o.place = o.value
		}
	}
	if len(s.Roles) > 0 {
		cfg.Roles = s.Roles
	}
	cfg.Dev = cfg.Dev || s.Dev
	cfg.DryListen = cfg.DryListen || s.DryListen
}

// logger writes JSON lines to standard error, or text where people watch.
func logger(people, verbose bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		options.Level = slog.LevelDebug
	}
	if people {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}
