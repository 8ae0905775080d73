package store

import (
	"context"
	"sync"

	"github.com/jmoiron/sqlx"
)

// mostPrepared bounds how many compiled statements are kept: clients choose fields, filters and order of a list, and each
// choice is a statement of its own.
const mostPrepared = 256

// prepared keeps compiled statements, those that were used last: SQLite takes about as long to compile one of ours as to
// run it. (pgx keeps those of PostgreSQL by itself.)
type prepared struct {
	db interface {
		PreparexContext(ctx context.Context, query string) (*sqlx.Stmt, error)
	}
	most int // how many are kept
	mu   sync.Mutex
	kept map[string]*statement
	turn int64
}

// statement is compiled. It is closed when it has been put out and the last user has given it back.
type statement struct {
	*sqlx.Stmt
	used  int64 // the turn in which it was last taken
	users int
	out   bool
}

// take gives the compiled query, to be given back once its rows are asked for; nil when it does not compile, which running
// it tells. It compiles without the lock: that waits for a connection, which those may have who wait for the lock.
func (p *prepared) take(ctx context.Context, query string) *statement {
	if p == nil {
		return nil
	}
	if s := p.use(query, nil); s != nil {
		return s
	}
	compiled, err := p.db.PreparexContext(ctx, query)
	if err != nil {
		return nil
	}
	s := p.use(query, compiled)
	if s.Stmt != compiled {
		compiled.Close() //nolint:errcheck // another was sooner
	}
	return s
}

// use takes the statement that is kept, or keeps and takes what was compiled, if anything.
func (p *prepared) use(query string, compiled *sqlx.Stmt) *statement {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.kept[query]
	if s == nil && compiled != nil {
		s = &statement{Stmt: compiled}
		p.keep(query, s)
	}
	if s != nil {
		p.turn++
		s.used, s.users = p.turn, s.users+1
	}
	return s
}

// keep makes room for one more by putting out the one that was not used for longest.
func (p *prepared) keep(query string, s *statement) {
	if p.kept == nil {
		p.kept = map[string]*statement{}
	}
	if len(p.kept) >= p.most {
		oldest := ""
		for q, other := range p.kept {
			if oldest == "" || other.used < p.kept[oldest].used {
				oldest = q
			}
		}
		p.kept[oldest].out = true
		p.kept[oldest].closeUnused()
		delete(p.kept, oldest)
	}
	p.kept[query] = s
}

// give gives a statement back; rows that it has opened keep what they need (database/sql).
func (p *prepared) give(s *statement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.users--
	s.closeUnused()
}

func (s *statement) closeUnused() {
	if s.out && s.users == 0 {
		s.Close() //nolint:errcheck // it has been used, and was asked for nothing more
	}
}
