-- +goose Up
-- quiet: raised while its rule and camera cooled down: recorded and shown like
-- others, but no reason to call a person.
ALTER TABLE alert ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alert_cooling ON alert (camera_id, rule, raised_us);
