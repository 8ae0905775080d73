package store

import (
	"context"
	"sync"

	"github.com/jmoiron/sqlx"
)

// mostPrepared bounds how many compiled statements are kept.
const mostPrepared = 512

// prepared keeps compiled statements: SQLite takes about as long to compile one of ours as to run it. (pgx keeps those
// of PostgreSQL by itself.)
type prepared struct {
	db interface {
		PreparexContext(ctx context.Context, query string) (*sqlx.Stmt, error)
	}
	mu   sync.Mutex
	kept map[string]*sqlx.Stmt
}

// statement is the compiled query; nil when there is no room for it or it does not compile, which running it tells.
func (p *prepared) statement(ctx context.Context, query string) *sqlx.Stmt {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.kept[query]; s != nil || len(p.kept) >= mostPrepared {
		return s
	}
	s, err := p.db.PreparexContext(ctx, query)
	if err != nil {
		return nil
	}
	if p.kept == nil {
		p.kept = map[string]*sqlx.Stmt{}
	}
	p.kept[query] = s
	return s
}
