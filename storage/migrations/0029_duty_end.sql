-- +goose Up
-- Physicians' windows that were ended early.

-- 0: not ended early.
ALTER TABLE duty ADD COLUMN ended_us BIGINT NOT NULL DEFAULT 0;

-- reason: empty when the physician's face ended it. salt, picture: hex, as in duty.
CREATE TABLE duty_end (
    duty_id TEXT PRIMARY KEY REFERENCES duty (id),
    at_us   BIGINT NOT NULL,
    actor   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    score   DOUBLE PRECISION NOT NULL,
    salt    TEXT NOT NULL,
    picture TEXT NOT NULL,
    leaf    BIGINT NOT NULL
);
