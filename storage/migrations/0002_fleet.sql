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
