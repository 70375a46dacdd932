-- +goose Up
-- Physicians, and the starts of their shifts.

-- name, template: sealed.
CREATE TABLE physician (
    id       TEXT PRIMARY KEY,
    name     BYTEA NOT NULL,
    gone     INTEGER NOT NULL,
    template BYTEA,
    model_id TEXT NOT NULL
);

CREATE TABLE physician_institution (
    physician_id   TEXT NOT NULL REFERENCES physician (id),
    institution_id TEXT NOT NULL REFERENCES institution (id),
    PRIMARY KEY (physician_id, institution_id)
);
CREATE INDEX physician_institution_of ON physician_institution (institution_id, physician_id);

-- For how long a start counts, and where; never changed, only followed by a later version.
CREATE TABLE duty_policy (
    version        INTEGER PRIMARY KEY,
    institution_id TEXT NOT NULL,
    params         TEXT NOT NULL,
    set_by         TEXT NOT NULL,
    set_us         BIGINT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX duty_policy_institution ON duty_policy (institution_id, version);

-- salt and picture: hex; the ledger has only hashes of the physician's id and
-- of the picture with the salt. camera_id: empty for a photo. No position is kept.
CREATE TABLE duty (
    id             TEXT PRIMARY KEY,
    at_us          BIGINT NOT NULL,
    actor          TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    place_id       TEXT NOT NULL,
    camera_id      TEXT NOT NULL,
    physician_id   TEXT NOT NULL,
    source         TEXT NOT NULL,
    seen_us        BIGINT NOT NULL,
    answer         TEXT NOT NULL,
    reason         TEXT NOT NULL,
    score          DOUBLE PRECISION NOT NULL,
    model_id       TEXT NOT NULL,
    match_from     DOUBLE PRECISION NOT NULL,
    no_match_below DOUBLE PRECISION NOT NULL,
    position       TEXT NOT NULL,
    outcome        TEXT NOT NULL,
    until_us       BIGINT NOT NULL,
    policy         INTEGER NOT NULL,
    salt           TEXT NOT NULL,
    picture        TEXT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX duty_physician ON duty (physician_id, until_us);
CREATE INDEX duty_institution ON duty (institution_id, id);
