-- +goose Up
-- The line of history (PostgreSQL's timeline) that the database was last seen on, and since when: after a failover what was
-- committed last may be lost. One row.
CREATE TABLE timeline (
	line    TEXT NOT NULL,
	seen_at BIGINT NOT NULL
);
INSERT INTO timeline (line, seen_at) VALUES ('', 0);

-- +goose Down
DROP TABLE timeline;
