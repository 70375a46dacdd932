-- +goose Up
-- What cameras should see, and the stretches in which they saw nothing.

-- What was learned of a camera's scene; removed when a person says that it is
-- well as it is now.
CREATE TABLE camera_scene (
    camera_id TEXT PRIMARY KEY,
    scene     TEXT NOT NULL,
    at_us     BIGINT NOT NULL
);

-- to_us 0: it lasts. seen_us: when it was last known to last. The pictures
-- are sightings of kind lens, which retention deletes; their hashes stay.
CREATE TABLE blind_period (
    id             TEXT PRIMARY KEY,
    camera_id      TEXT NOT NULL,
    place_id       TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    cause          TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    found_us       BIGINT NOT NULL,
    seen_us        BIGINT NOT NULL,
    ended_by       TEXT NOT NULL,
    before_id      TEXT NOT NULL,
    before_sha     BYTEA,
    at_id          TEXT NOT NULL,
    at_sha         BYTEA,
    after_id       TEXT NOT NULL,
    after_sha      BYTEA,
    leaf           BIGINT NOT NULL
);
CREATE INDEX blind_lasting ON blind_period (camera_id) WHERE to_us = 0;
CREATE INDEX blind_place ON blind_period (place_id, from_us);
CREATE INDEX blind_institution ON blind_period (institution_id, id);
