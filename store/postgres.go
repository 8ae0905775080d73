package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"

	"github.com/ingot-metal/ingot"
)

// startLock is the advisory lock that a process holds while it migrates and checks the secret: "ingot" in ASCII.
const startLock = 0x696e676f74

// mostTries bounds how often a transaction is run when PostgreSQL asks for it.
const mostTries = 10

// openPostgres opens the pool, migrates and checks the secret under an advisory lock, and starts to listen.
func (s *Store) openPostgres(ctx context.Context, cfg Config) error {
	s.dialect = postgresDialect()
	settings, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return ingot.Errorf(ingot.Invalid, "cannot read the database URL: %w", err)
	}
	if settings.RuntimeParams["application_name"] == "" {
		settings.RuntimeParams["application_name"] = "ingot"
	}
	settings.ConnectTimeout = connectLimit
	settings.DialFunc = dialer().DialContext
	s.readers = s.pool(settings, cfg.Connections)
	s.pulse = s.pool(settings, 1)
	if err := s.startPostgres(ctx, cfg); err != nil {
		var unreached *pgconn.ConnectError
		if errors.As(err, &unreached) {
			return ingot.Errorf(ingot.Unavailable, "cannot open the database %s on %s port %d: check that PostgreSQL runs there, and its URL: %s", settings.Database, settings.Host, settings.Port, strings.Join(strings.Fields(err.Error()), " "))
		}
		return s.sentence(err)
	}
	for _, begin := range []func(context.Context) error{s.keepTime, s.openLine, s.sayRisks} {
		if err := begin(ctx); err != nil {
			return s.sentence(err)
		}
	}
	s.remote = newRemote(s, settings)
	s.closing(func() error { s.remote.close(); return nil })
	return nil
}

func (s *Store) pool(settings *pgx.ConnConfig, connections int) *sqlx.DB {
	db := sqlx.NewDb(stdlib.OpenDB(*settings), "pgx")
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	s.closing(db.Close)
	return db
}

// LocalAddress is this host's address from which the database is reached: the one by which other processes on it are most
// likely to reach this host. It is the loopback's where the database is on this host or cannot be found.
func (s *Store) LocalAddress() netip.Addr {
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if s.remote == nil || strings.HasPrefix(s.remote.settings.Host, "/") {
		return loopback
	}
	towards, err := net.Dial("udp", net.JoinHostPort(s.remote.settings.Host, strconv.Itoa(int(s.remote.settings.Port)))) // which sends nothing
	if err != nil {
		return loopback
	}
	defer towards.Close() //nolint:errcheck // nothing was sent
	at, err := netip.ParseAddrPort(towards.LocalAddr().String())
	if err != nil {
		return loopback
	}
	return at.Addr().Unmap()
}

// startPostgres does what one process at a time may do.
func (s *Store) startPostgres(ctx context.Context, cfg Config) (err error) {
	locked, err := s.readers.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() {
		// Closing alone would only put the connection back into the pool, lock and all.
		_, unlocked := locked.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(startLock))
		err = errors.Join(err, unlocked, locked.Close())
	}()
	if _, err := locked.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(startLock)); err != nil {
		return err
	}
	if err := migrate(ctx, s.dialect, s.readers.DB, s.log); err != nil {
		return err
	}
	c := s.read(ctx)
	if s.keys, err = loadKeys(c, cfg); err != nil {
		return err
	}
	s.epoch, err = eventEpoch(c)
	return err
}

// writePostgres runs do in a transaction, again when PostgreSQL asks for it. What do meets there is what others have
// committed, statement by statement (READ COMMITTED); rows that decide are locked as they are read.
func (s *Store) writePostgres(ctx context.Context, pool *sqlx.DB, do func(*tx) error) error {
	for try := 1; ; try++ {
		t, err := s.tryPostgres(ctx, pool, do)
		if err == nil {
			s.committed(t.wake, t.events > 0)
			return nil
		}
		if try == mostTries || !s.dialect.again(err) {
			return err
		}
	}
}

func (s *Store) tryPostgres(ctx context.Context, pool *sqlx.DB, do func(*tx) error) (*tx, error) {
	outer, err := pool.BeginTxx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot begin a transaction: %w", err)
	}
	t := &tx{conn: conn{ctx: ctx, ext: outer, store: s}, now: s.now()}
	if err := attempt(do, t); err != nil {
		outer.Rollback() //nolint:errcheck // do's error is the one that tells
		return nil, err
	}
	return t, outer.Commit()
}
