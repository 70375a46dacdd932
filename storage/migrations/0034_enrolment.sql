-- +goose Up
-- Who enrolled whom when, by which way. Enrolments before are not among them.

-- version counts those of one person. reason: sealed. salt, person, picture, why: hex, what the ledger has.
CREATE TABLE enrolment (
    id           TEXT PRIMARY KEY,
    insured_id   TEXT NOT NULL REFERENCES insured (id),
    version      INTEGER NOT NULL,
    at_us        BIGINT NOT NULL,
    actor        TEXT NOT NULL,
    way          TEXT NOT NULL,
    proxy        INTEGER NOT NULL,
    reason       BYTEA NOT NULL,
    admission_id TEXT NOT NULL,
    model_id     TEXT NOT NULL,
    salt         TEXT NOT NULL,
    picture      TEXT NOT NULL,
    leaf         BIGINT NOT NULL,
    UNIQUE (insured_id, version)
);

-- Of the enrolment that counts. 0: before versions were kept, or none.
ALTER TABLE insured ADD COLUMN enrolment INTEGER NOT NULL DEFAULT 0;
ALTER TABLE insured ADD COLUMN proxy INTEGER NOT NULL DEFAULT 0;
