-- +goose Up
-- Which checks a verification requires, by institution and ward; never changed, only followed by a later version.
CREATE TABLE check_policy (
    version        INTEGER PRIMARY KEY,
    institution_id TEXT NOT NULL,
    ward           TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    params         TEXT NOT NULL,
    set_by         TEXT NOT NULL,
    set_us         BIGINT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX check_policy_scope ON check_policy (institution_id, ward, purpose, version);

ALTER TABLE visit ADD COLUMN policy INTEGER NOT NULL DEFAULT 0;
ALTER TABLE visit ADD COLUMN decide_by_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX visit_deciding ON visit (decide_by_us) WHERE state = 'deciding';

-- Verdicts that two people give, beside what was sealed; nothing of them is ever deleted.
-- people: sealed; JSON of a salt and of who was named at the bedside.
CREATE TABLE ruling (
    id             TEXT PRIMARY KEY,
    visit_id       TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    circumstance   TEXT NOT NULL,
    verdict        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    people         BYTEA NOT NULL,
    state          TEXT NOT NULL,
    over_verdict   TEXT NOT NULL,
    over_leaf      BIGINT NOT NULL,
    proposed_by    TEXT NOT NULL,
    proposed_us    BIGINT NOT NULL,
    due_us         BIGINT NOT NULL,
    answered_by    TEXT NOT NULL,
    answered_us    BIGINT NOT NULL,
    answer         TEXT NOT NULL,
    leaf           BIGINT NOT NULL,
    answer_leaf    BIGINT NOT NULL
);
CREATE UNIQUE INDEX ruling_open ON ruling (visit_id) WHERE state = 'proposed';
CREATE INDEX ruling_visit ON ruling (visit_id, id);
CREATE INDEX ruling_due ON ruling (due_us) WHERE state = 'proposed';

CREATE TABLE ruling_proof (
    ruling_id  TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    object_key TEXT NOT NULL,
    sha256     BYTEA NOT NULL,
    media_type TEXT NOT NULL,
    PRIMARY KEY (ruling_id, seq)
);
CREATE INDEX ruling_proof_object ON ruling_proof (object_key);
