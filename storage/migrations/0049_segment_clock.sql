-- +goose Up
-- What a recording says of the server's clock and of the camera's own
-- signatures. Empty: not looked at, as in all that was recorded before.
ALTER TABLE segment ADD COLUMN sync TEXT NOT NULL DEFAULT '';
ALTER TABLE segment ADD COLUMN clock_error_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN signature TEXT NOT NULL DEFAULT '';
