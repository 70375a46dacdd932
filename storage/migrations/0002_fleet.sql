-- +goose Up
-- A fleet of cameras: sub streams, record policies, retention per segment,
-- chunks to play from, holds, deletions in steps, events of recordings.

ALTER TABLE camera ADD COLUMN sub_url TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN tls_fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN record TEXT NOT NULL DEFAULT 'always';
ALTER TABLE camera ADD COLUMN record_from TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN record_to TEXT NOT NULL DEFAULT '';

-- chunks: see encodeChunks. keep_until_us 0: until somebody decides.
ALTER TABLE segment ADD COLUMN audio TEXT NOT NULL DEFAULT '';
ALTER TABLE segment ADD COLUMN life TEXT NOT NULL DEFAULT '';
ALTER TABLE segment ADD COLUMN mono_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN keep_until_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN chunks BYTEA;
CREATE INDEX segment_keep ON segment (state, keep_until_us);

CREATE TABLE recording_event (
    source_kind    TEXT NOT NULL,
    source_id      TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    at_us          BIGINT NOT NULL,
    kind           TEXT NOT NULL,
    off_us         BIGINT NOT NULL,
    detail         TEXT NOT NULL
);
CREATE INDEX recording_event_time ON recording_event (source_kind, source_id, at_us);

-- What is held is neither evicted nor deleted: a stretch of a source, for a case.
CREATE TABLE hold (
    id             TEXT PRIMARY KEY,
    source_kind    TEXT NOT NULL,
    source_id      TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    case_id        TEXT NOT NULL,
    placed_us      BIGINT NOT NULL,
    placed_by      TEXT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX hold_source ON hold (source_kind, source_id, from_us);

-- Looking up a stretch reads the index alone: see SegmentsBetween and Coverage.
DROP INDEX segment_time;
CREATE INDEX segment_time ON segment (source_kind, source_id, start_us, end_us);
-- What waits for upload is a few rows among millions.
DROP INDEX segment_state;
CREATE INDEX segment_spooled ON segment (start_us, id, bytes) WHERE state = 'spooled';
CREATE INDEX gap_end ON gap (source_kind, source_id, to_us);

-- plan_id: the sealed deletion plan that a deleting or deleted row is in.
ALTER TABLE segment ADD COLUMN plan_id TEXT NOT NULL DEFAULT '';

-- A sighting's snapshot goes when its retention ends, in the same steps as a
-- segment: picture_state is '' while it is kept, then deleting, then deleted.
ALTER TABLE sighting ADD COLUMN keep_until_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN picture_state TEXT NOT NULL DEFAULT '';
ALTER TABLE sighting ADD COLUMN plan_id TEXT NOT NULL DEFAULT '';
CREATE INDEX sighting_keep ON sighting (picture_state, keep_until_us) WHERE snapshot_key <> '';
CREATE INDEX sighting_snapshot ON sighting (snapshot_key) WHERE snapshot_key <> '';

CREATE INDEX alert_snapshot ON alert (snapshot_key);
CREATE INDEX visit_snapshot ON visit (snapshot_key);
CREATE INDEX insured_photo ON insured (photo_key);
CREATE INDEX evidence_ref ON evidence (ref);

-- What was found without a row and put aside: objects, and spooled files of
-- unknown sources.
CREATE TABLE quarantine (
    moved_to TEXT PRIMARY KEY,
    origin   TEXT NOT NULL,
    bytes    BIGINT NOT NULL,
    sha256   BYTEA NOT NULL,
    found_us BIGINT NOT NULL,
    leaf     BIGINT NOT NULL
);

-- The alerts of a place on a time line.
CREATE INDEX alert_place ON alert (place_id, at_us);

-- The last wall time that retention believed, in its only row: see
-- retentionClock. removing: the object of a planned row is being removed, and
-- no hold is placed over it any more. retry_us: the store refused to delete
-- it, and is asked again then.
CREATE TABLE retention_clock (one INTEGER PRIMARY KEY, wall_us BIGINT NOT NULL);
ALTER TABLE segment ADD COLUMN removing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN retry_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN removing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN retry_us BIGINT NOT NULL DEFAULT 0;
