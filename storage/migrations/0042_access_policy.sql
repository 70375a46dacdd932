-- +goose Up
-- For which actions a person must say why they look at evidence, by version.
CREATE TABLE access_policy (
    version INTEGER PRIMARY KEY,
    params  TEXT NOT NULL,
    set_by  TEXT NOT NULL,
    set_us  BIGINT NOT NULL,
    leaf    BIGINT NOT NULL
);

-- Finds the reason that somebody gave for a case in a session.
CREATE INDEX custody_object ON custody (object, action) WHERE action = 'state';

-- Pages a case's items in the order in which they were added.
CREATE INDEX evidence_order ON evidence (case_id, added_us, kind, ref);
