package chaos

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// watcher looks into the database from beside Ingot: a trigger of its own writes down which leases on BMCs were granted
// until when, and it sees how soon another takes over from a conductor that was ended.
type watcher struct {
	url string

	mu        sync.Mutex
	takeovers []Takeover
}

// Takeover is how long it took until another had put back what a conductor had claimed, after that was killed or stopped.
type Takeover struct {
	Conductor string
	At        time.Time
	Took      time.Duration
	Hindered  bool // the database or the others were in trouble too
}

// all are the takeovers that were seen.
func (w *watcher) all() []Takeover {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Takeover(nil), w.takeovers...)
}

// note makes the trigger.
const note = `
CREATE TABLE IF NOT EXISTS chaos_leases (id bigserial PRIMARY KEY, address text, owner text, until bigint, at bigint);
CREATE OR REPLACE FUNCTION chaos_note() RETURNS trigger AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO chaos_leases (address, owner, until, at) VALUES (OLD.address, OLD.owner, 0, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
	ELSE
		INSERT INTO chaos_leases (address, owner, until, at) VALUES (NEW.address, NEW.owner, NEW.until, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
	END IF;
	RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE OR REPLACE TRIGGER chaos_note AFTER INSERT OR UPDATE OR DELETE ON bmc_leases FOR EACH ROW EXECUTE FUNCTION chaos_note()`

// ask has the database answer, on a connection of its own.
func (w *watcher) ask(ctx context.Context, question func(*pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was asked counts
	return question(c)
}

func (w *watcher) begin(ctx context.Context) error {
	return w.ask(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, note+";"+slow)
		return err
	})
}

// process is the one that a conductor's row is of; "" is one that was taken over from.
func (w *watcher) process(ctx context.Context, conductor string) (process string, err error) {
	err = w.ask(ctx, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT process FROM conductors WHERE hostname = $1", conductor).Scan(&process)
	})
	return process, err
}

// follow waits until another has taken over from a conductor, which puts back whatever it had claimed, as long as it is away;
// hindered is asked then.
func (w *watcher) follow(ctx context.Context, conductor string, hindered func() bool) {
	began := time.Now()
	had, err := w.process(ctx, conductor)
	for now := had; err == nil && had != "" && now == had && pause(ctx, 50*time.Millisecond); {
		if now, err = w.process(ctx, conductor); err == nil && now == "" {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.takeovers = append(w.takeovers, Takeover{Conductor: conductor, At: began, Took: time.Since(began), Hindered: hindered()})
			return
		}
	}
}

// grants are all leases that there were.
func (w *watcher) grants(ctx context.Context) ([]Grant, error) {
	type line struct {
		Address, Owner string
		Until, At      int64
	}
	var lines []line
	err := w.ask(ctx, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "SELECT address, owner, until, at FROM chaos_leases ORDER BY id")
		if err != nil {
			return err
		}
		lines, err = pgx.CollectRows(rows, pgx.RowToStructByPos[line])
		return err
	})
	if err != nil {
		return nil, err
	}
	var grants []Grant
	open := map[string]int{} // by BMC: the place of the grant that lasts
	for _, l := range lines {
		at := time.UnixMicro(l.At)
		i, has := open[l.Address]
		switch {
		case has && (l.Until == 0 || grants[i].Owner != l.Owner || at.After(grants[i].Until)):
			if grants[i].Until.After(at) {
				grants[i].Until = at
			}
			delete(open, l.Address)
			has = false
		case has:
			grants[i].Until = time.UnixMicro(l.Until)
		}
		if !has && l.Until != 0 {
			grants = append(grants, Grant{BMC: l.Address, Owner: l.Owner, From: at, Until: time.UnixMicro(l.Until)})
			open[l.Address] = len(grants) - 1
		}
	}
	return grants, nil
}
