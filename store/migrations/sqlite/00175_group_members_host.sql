-- +goose Up
-- A node that goes takes its membership with it, as a host too.
CREATE INDEX group_members_host ON group_members (host);

-- +goose Down
DROP INDEX group_members_host;
