-- +goose Up
-- The rows of a source lie between those that all others wrote meanwhile. Each
-- 64 of them are kept a second time, together: see blocks.go.
CREATE TABLE segment_block (
    source_kind TEXT NOT NULL,
    source_id   TEXT NOT NULL,
    block       BIGINT NOT NULL,
    packed      BYTEA NOT NULL,
    PRIMARY KEY (source_kind, source_id, block)
);

-- A row while those from before there were blocks are to be packed.
CREATE TABLE segment_packing (one INTEGER PRIMARY KEY);
INSERT INTO segment_packing (one) VALUES (1);

-- What a stretch holds, and how much of it is covered, is read from this alone.
DROP INDEX segment_time;
CREATE INDEX segment_time ON segment (source_kind, source_id, start_us, end_us, seq, state, institution_id);

-- What a device stored itself fills gaps afterwards. origin: '' as it
-- happened, 'card' fetched from the device.
ALTER TABLE camera ADD COLUMN replay_url TEXT NOT NULL DEFAULT '';
ALTER TABLE segment ADD COLUMN origin TEXT NOT NULL DEFAULT '';

-- How far the filling of a gap is: state waiting, done or given_up.
CREATE TABLE backfill (
    gap_id  TEXT PRIMARY KEY REFERENCES gap (id),
    state   TEXT NOT NULL,
    tries   INTEGER NOT NULL,
    next_us BIGINT NOT NULL
);

-- What tells how long the process was away, and what retention must know of
-- a clock that was set.

-- seq: lives in their order, which a clock that was set does not change.
-- boot and up_us: the machine's start, and how long it had run by then when
-- the process was seen last. Empty when not known.
ALTER TABLE process_life ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE process_life ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE process_life ADD COLUMN up_us BIGINT NOT NULL DEFAULT 0;

-- How many leaves the ledger had when the sighting was stored: the clock steps
-- that are sealed later make its picture older or younger than it looks.
ALTER TABLE sighting ADD COLUMN leaves BIGINT NOT NULL DEFAULT 0;
