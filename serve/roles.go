package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
)

// The roles that a process may have.
const (
	roleAPI       = "api"       // the API for users
	roleConductor = "conductor" // carries operations out
	rolePXE       = "pxe"       // DHCP, TFTP and the boot listener
)

func roles() []string { return []string{roleAPI, roleConductor, rolePXE} }

func (c *Config) has(role string) bool { return slices.Contains(c.Roles, role) }

func (c *Config) checkRoles() error {
	if len(c.Roles) == 0 {
		c.Roles = roles()
	}
	for _, role := range c.Roles {
		if !slices.Contains(roles(), role) {
			return fmt.Errorf("cannot start: role %q is not one of api, conductor, pxe", role)
		}
	}
	if c.Database.URL == "" && len(slices.Compact(slices.Sorted(slices.Values(c.Roles)))) < len(roles()) {
		return fmt.Errorf("cannot start with roles %v alone: the embedded database is one process's, which needs all roles; give --database postgres://… to divide them", c.Roles)
	}
	if c.has(roleConductor) && !c.has(rolePXE) && c.Boot.URL == "" {
		return errors.New("cannot start as a conductor without the boot service: set boot.url to where machines reach a process with the role pxe")
	}
	return nil
}

// embeddedTTL is how long a conductor on an embedded database acts without a beat: nobody else waits for its work.
const embeddedTTL = time.Minute

// pulse is how this process's conductor lives among others; nil without that role.
func (a *App) pulse() *conductor.Pulse {
	cfg := &a.Config
	if !cfg.has(roleConductor) {
		return nil
	}
	p := &conductor.Pulse{
		Beats: a.Store, TTL: embeddedTTL, Log: a.log, Boottime: bootClock(),
		Self: ingot.Conductor{Hostname: cfg.Hostname, Process: a.process, Group: cfg.Conduct.Group, Drivers: cfg.Drivers},
	}
	if a.peers != nil {
		p.Self.Address = a.peers.self.Address
	}
	if a.seat != nil {
		p.TTL, p.Gone = store.ConductorTTL, a.seat.before
	}
	return p
}

// join puts back what earlier processes had claimed, and makes this one a conductor.
func (a *App) join(ctx context.Context) error {
	if !a.Config.has(roleConductor) {
		return nil
	}
	if a.Config.Database.URL == "" { // the file is locked: whoever claimed something is gone
		if err := a.Store.ReleaseClaims(ctx, ""); err != nil && ctx.Err() == nil {
			return fmt.Errorf("cannot take over what the last process left: %w", err)
		}
	}
	if err := a.Conductor.Pulse.Join(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	return nil
}

// ready says whether this process can do its work.
func (a *App) ready(ctx context.Context) error {
	if err := a.Store.Healthy(ctx); err != nil {
		return err
	}
	return a.Conductor.Pulse.Ready()
}

// patience is the API's, with its defaults.
func (a API) patience() api.Patience {
	return api.Patience{Answer: cmp.Or(a.AnswerTimeout, time.Minute), LockedTries: cmp.Or(a.LockedTries, 3), LockedWait: cmp.Or(a.LockedWait, time.Second)}
}

// refuseForgotten refuses an empty shared database beside an embedded one, which somebody forgot to copy.
func (a *App) refuseForgotten(ctx context.Context) error {
	embedded := filepath.Join(a.Config.Data, "ingot.db")
	if a.Config.Database.URL == "" || a.Config.Database.StartEmpty {
		return nil
	}
	if _, err := os.Stat(embedded); err != nil {
		return nil //nolint:nilerr // nothing was forgotten
	}
	empty, err := a.Store.Empty(ctx)
	if err == nil && empty {
		err = ingot.Errorf(ingot.Invalid, "cannot start: the PostgreSQL database is empty, but %s is there: run `ingot db copy --data %s --database URL`, or set database.start_empty to begin anew", embedded, a.Config.Data)
	}
	return err
}
