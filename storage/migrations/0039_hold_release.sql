-- +goose Up
-- That a case holds something no more: requested by one, confirmed by another.
-- holds_sha is of the ids that it names, which are marked when it is confirmed.
CREATE TABLE hold_release (
    id             TEXT PRIMARY KEY,
    case_id        TEXT NOT NULL REFERENCES case_file (id),
    institution_id TEXT NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    named          BIGINT NOT NULL,
    holds_sha      TEXT NOT NULL,
    requested_by   TEXT NOT NULL,
    requested_us   BIGINT NOT NULL,
    answered_by    TEXT NOT NULL,
    answered_us    BIGINT NOT NULL,
    answer         TEXT NOT NULL,
    leaf           BIGINT NOT NULL,
    answer_leaf    BIGINT NOT NULL
);
CREATE INDEX hold_release_case ON hold_release (case_id);
ALTER TABLE hold ADD COLUMN release_id TEXT NOT NULL DEFAULT '';
CREATE INDEX hold_case ON hold (case_id);
CREATE INDEX hold_released ON hold (release_id) WHERE release_id <> '';
-- Of a picture, which its item holds itself.
ALTER TABLE evidence ADD COLUMN release_id TEXT NOT NULL DEFAULT '';
CREATE INDEX evidence_released ON evidence (release_id) WHERE release_id <> '';
