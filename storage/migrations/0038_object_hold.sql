-- +goose Up
-- What the object store itself is to withhold from deletion, because a case
-- holds it: the queue of that, and how far it is. state is wanted, held or
-- ending; gen counts what was asked of it, so that a late answer is known.
CREATE TABLE object_hold (
    object_key TEXT PRIMARY KEY,
    state      TEXT NOT NULL,
    gen        BIGINT NOT NULL,
    since_us   BIGINT NOT NULL,
    done_us    BIGINT NOT NULL,
    retry_us   BIGINT NOT NULL,
    why        TEXT NOT NULL
);
CREATE INDEX object_hold_due ON object_hold (retry_us) WHERE state <> 'held';
-- The pictures of a camera's sightings that a hold touches.
CREATE INDEX sighting_picture ON sighting (camera_id, to_us) WHERE snapshot_key <> '';

