-- +goose Up
-- Searching faces over time: who searched for whom and why, and in which
-- order faces were stored, so that an index can follow.

ALTER TABLE sighting ADD COLUMN stored_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sighting_face_stored ON sighting (stored_us, id) WHERE kind = 'face' AND template IS NOT NULL;

-- subject: photo, alert or insured; its ref is the photo's SHA-256 or the id.
CREATE TABLE face_search (
    id             TEXT PRIMARY KEY,
    at_us          BIGINT NOT NULL,
    actor          TEXT NOT NULL,
    role           TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    subject_ref    TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    place_id       TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    least          DOUBLE PRECISION NOT NULL,
    searched       BIGINT NOT NULL,
    found          TEXT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX face_search_actor ON face_search (actor, id);
