package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// hauntDatabase troubles the database, and the ways to it.
func (t *trouble) hauntDatabase(ctx context.Context, r *rand.Rand) {
	for pause(ctx, between(r, 5*time.Second, 20*time.Second)) {
		for t.spared() >= 0 && pause(ctx, time.Second) {
		}
		relay := t.Relays[r.IntN(len(t.Relays))]
		switch r.IntN(9) {
		case 0:
			t.count(func(c *Counts) { c.Restarts++ })
			t.away(ctx, t.Database.Stop, t.Database.Start, between(r, 0, 4*time.Second))
		case 1:
			t.count(func(c *Counts) { c.Crashes++ })
			t.away(ctx, t.Database.Crash, t.Database.Start, between(r, 0, 2*time.Second))
		case 2:
			t.count(func(c *Counts) { c.SlowCommits++ })
			t.away(ctx, func() { t.commitDelay("100000") }, func() { t.commitDelay("0") }, between(r, 3*time.Second, 10*time.Second))
		case 3:
			t.count(func(c *Counts) { c.Stalls++ })
			t.away(ctx, relay.Swallow, relay.Pass, between(r, time.Second, 8*time.Second))
		case 5:
			t.count(func(c *Counts) { c.SlowDisks++ })
			t.away(ctx, func() { t.slowDisk(between(r, 200*time.Millisecond, 3*time.Second)) }, func() { t.slowDisk(0) }, between(r, 3*time.Second, 10*time.Second))
		case 4:
			t.fill(ctx, between(r, time.Second, 6*time.Second))
		default:
			t.count(func(c *Counts) { c.Cuts++ })
			t.away(ctx, relay.Cut, relay.Pass, between(r, 0, 6*time.Second))
		}
	}
}

// fill has the database's disk full for a while, where that can be done.
func (t *trouble) fill(ctx context.Context, lasts time.Duration) {
	t.away(ctx, func() {
		if t.Database.Fill() {
			t.count(func(c *Counts) { c.FullDisks++ })
			pause(ctx, lasts)
			t.Database.Free()
		}
	}, func() {}, 0)
}

// away begins a trouble, lets it last, and ends it.
func (t *trouble) away(ctx context.Context, begin, end func(), lasts time.Duration) {
	t.markDatabase(far())
	begin()
	pause(ctx, lasts)
	end()
	t.markDatabase(time.Now())
}

// commitDelay has every commit take so many microseconds longer, as a slow disk does.
func (t *trouble) commitDelay(micros string) {
	t.Database.Ask("ALTER SYSTEM SET commit_siblings = 0")
	t.Database.Ask("ALTER SYSTEM SET commit_delay = " + micros)
	t.Database.Ask("SELECT pg_reload_conf()")
}

// slow has commits take as long as a table says, with all that they have locked, as they do when the disk does not answer.
const slow = `
CREATE TABLE IF NOT EXISTS chaos_slow (seconds float8 NOT NULL);
CREATE OR REPLACE FUNCTION chaos_slow() RETURNS trigger AS $$
BEGIN
	IF current_setting('chaos.slept', true) IS DISTINCT FROM txid_current()::text THEN -- once for each transaction
		PERFORM set_config('chaos.slept', txid_current()::text, true);
		PERFORM pg_sleep(seconds) FROM chaos_slow;
	END IF;
	RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE OR REPLACE FUNCTION chaos_slow_table(name text) RETURNS void AS $$
BEGIN
	EXECUTE format('DROP TRIGGER IF EXISTS chaos_slow ON %I', name);
	EXECUTE format('CREATE CONSTRAINT TRIGGER chaos_slow AFTER INSERT OR UPDATE ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos_slow()', name);
END $$ LANGUAGE plpgsql;
SELECT chaos_slow_table('operations'), chaos_slow_table('bmc_leases'), chaos_slow_table('conductors')`

// slowDisk has every commit wait for so long.
func (t *trouble) slowDisk(d time.Duration) {
	t.Database.Ask("DELETE FROM chaos_slow")
	if d > 0 {
		t.Database.Ask(fmt.Sprintf("INSERT INTO chaos_slow VALUES (%g)", d.Seconds()))
	}
}
