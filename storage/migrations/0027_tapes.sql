-- +goose Up
-- By what visits were judged: which pictures were looked at, when they came and when commands were
-- displayed. Erased when its time is over and no recording of the visit is left.
CREATE TABLE visit_tape (
    visit_id      TEXT PRIMARY KEY,
    keep_until_us BIGINT NOT NULL,
    body          BYTEA NOT NULL
);
CREATE INDEX visit_tape_keep ON visit_tape (keep_until_us);
