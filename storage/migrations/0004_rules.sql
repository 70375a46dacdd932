-- +goose Up
-- Rules as rows, settlements that are corrected, reversed and judged again,
-- who stood at them, and the offsets of billing clocks.

ALTER TABLE institution ADD COLUMN lat DOUBLE PRECISION;
ALTER TABLE institution ADD COLUMN lon DOUBLE PRECISION;

-- version counts every change, so that a judgement of what was read before
-- it is refused. waiting: to be judged (again) at due_us. stage: 0 not judged,
-- 1 judged by what the pictures show, 2 also by what takes longer.
ALTER TABLE settlement ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settlement ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE settlement ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settlement ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settlement ADD COLUMN unclear TEXT NOT NULL DEFAULT '[]';
UPDATE settlement SET waiting = 1 WHERE state = 'pending';
UPDATE settlement SET stage = 2 WHERE state <> 'pending';
DROP INDEX settlement_due;
CREATE INDEX settlement_waiting ON settlement (due_us, id) WHERE waiting = 1;
CREATE INDEX settlement_card ON settlement (insured_id, at_us);

-- What billing said of a settlement before its newest revision.
CREATE TABLE settlement_revision (
    settlement_id TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    place_id      TEXT NOT NULL,
    insured_id    TEXT NOT NULL,
    kind          TEXT NOT NULL,
    at_us         BIGINT NOT NULL,
    amount_fen    BIGINT NOT NULL,
    received_us   BIGINT NOT NULL,
    PRIMARY KEY (settlement_id, revision)
);

-- The nearest face at a settlement; at_us by the cameras' clock.
CREATE TABLE settlement_face (
    settlement_id TEXT PRIMARY KEY,
    at_us         BIGINT NOT NULL,
    sighting_id   TEXT NOT NULL,
    model_id      TEXT NOT NULL,
    template      BYTEA NOT NULL,
    stored_us     BIGINT NOT NULL
);
CREATE INDEX settlement_face_stored ON settlement_face (stored_us);

-- shadow: recorded, not shown. revision: of the settlement when it was raised.
ALTER TABLE alert ADD COLUMN shadow INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alert_settlement ON alert (settlement_id);

-- The other settlements that an alert rests on.
CREATE TABLE alert_related (
    settlement_id TEXT NOT NULL,
    alert_id      TEXT NOT NULL,
    PRIMARY KEY (settlement_id, alert_id)
);

-- Every setting of a rule that there ever was; institution_id '' is all.
CREATE TABLE rule_setting (
    rule           TEXT NOT NULL,
    version        INTEGER NOT NULL,
    institution_id TEXT NOT NULL,
    mode           TEXT NOT NULL,
    params         TEXT NOT NULL,
    inherit        INTEGER NOT NULL,
    set_by         TEXT NOT NULL,
    set_us         BIGINT NOT NULL,
    leaf           BIGINT NOT NULL,
    PRIMARY KEY (rule, version)
);

-- How far the cameras' clock is ahead of an institution's billing system.
CREATE TABLE clock_offset (
    institution_id TEXT PRIMARY KEY,
    offset_us      BIGINT NOT NULL,
    spread_us      BIGINT NOT NULL,
    samples        INTEGER NOT NULL,
    at_us          BIGINT NOT NULL
);
