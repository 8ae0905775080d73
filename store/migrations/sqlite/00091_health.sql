-- +goose Up
-- How the BMC says that the machine is: OK, Warning, Critical; '' when it does not say.
ALTER TABLE nodes ADD COLUMN health TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE nodes DROP COLUMN health;
