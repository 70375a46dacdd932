-- +goose Up
-- Who stands at a counter: what terminals asked, and which settlements refer to it.

-- salt and picture: hex; the ledger has only hashes of the insured's id and of
-- the picture with the salt. camera_id: empty for a photo.
CREATE TABLE identity_check (
    id             TEXT PRIMARY KEY,
    at_us          BIGINT NOT NULL,
    actor          TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    place_id       TEXT NOT NULL,
    camera_id      TEXT NOT NULL,
    insured_id     TEXT NOT NULL,
    source         TEXT NOT NULL,
    seen_us        BIGINT NOT NULL,
    answer         TEXT NOT NULL,
    reason         TEXT NOT NULL,
    score          DOUBLE PRECISION NOT NULL,
    model_id       TEXT NOT NULL,
    match_from     DOUBLE PRECISION NOT NULL,
    no_match_below DOUBLE PRECISION NOT NULL,
    salt           TEXT NOT NULL,
    picture        TEXT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX identity_check_institution ON identity_check (institution_id, id);

CREATE TABLE settlement_identity (
    settlement_id TEXT NOT NULL,
    check_id      TEXT NOT NULL,
    at_us         BIGINT NOT NULL,
    leaf          BIGINT NOT NULL,
    PRIMARY KEY (settlement_id, check_id)
);
