-- +goose Up
-- Auditable draws of beds and inspectors; nothing of them is ever deleted.

-- How the beds of a round were chosen: hand, risk or draw.
ALTER TABLE round ADD COLUMN method TEXT NOT NULL DEFAULT 'hand';
ALTER TABLE round ADD COLUMN risk_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE round ADD COLUMN draw_id TEXT NOT NULL DEFAULT '';

-- due_us: drand: when its round comes out; coin: until when it may be answered.
-- secret: sealed; the committed secret and the key of the salts, 32 bytes each.
-- commitment: SHA-256 of the sealed first step, hex.
CREATE TABLE draw (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL,
    day            TEXT NOT NULL,
    number         INTEGER NOT NULL,
    state          TEXT NOT NULL,
    source         TEXT NOT NULL,
    drawn_by       TEXT NOT NULL,
    previous       TEXT NOT NULL,
    committed_us   BIGINT NOT NULL,
    due_us         BIGINT NOT NULL,
    commitment     TEXT NOT NULL,
    round_id       TEXT NOT NULL,
    secret         BYTEA NOT NULL,
    leaf           BIGINT NOT NULL,
    UNIQUE (institution_id, day, number)
);
CREATE UNIQUE INDEX draw_open ON draw (institution_id) WHERE state = 'committed';
CREATE INDEX draw_institution ON draw (institution_id, id);

-- What each step says is its sealed record.
CREATE TABLE draw_step (
    draw_id TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    at_us   BIGINT NOT NULL,
    leaf    BIGINT NOT NULL,
    PRIMARY KEY (draw_id, seq)
);
