-- +goose Up
-- Derivatives of evidence in which parts of the picture cannot be recognised. A redaction that is done covers its item:
-- result is the derivative's item, output its object. An unmasking lets who asked see the item as it is until until_us.
CREATE TABLE redaction (
    id             TEXT PRIMARY KEY,
    case_id        TEXT NOT NULL REFERENCES case_file (id),
    institution_id TEXT NOT NULL REFERENCES institution (id),
    evidence_id    TEXT NOT NULL REFERENCES evidence (id),
    state          TEXT NOT NULL,
    plan           TEXT NOT NULL,
    reason         TEXT NOT NULL,
    by_user        TEXT NOT NULL,
    by_role        TEXT NOT NULL,
    asked_us       BIGINT NOT NULL,
    ended_us       BIGINT NOT NULL,
    output         TEXT NOT NULL,
    result         TEXT NOT NULL,
    fault          TEXT NOT NULL
);
CREATE INDEX redaction_case ON redaction (case_id);
CREATE INDEX redaction_item ON redaction (evidence_id);
CREATE INDEX redaction_queued ON redaction (asked_us) WHERE state = 'queued';

CREATE TABLE unmasking (
    id             TEXT PRIMARY KEY,
    case_id        TEXT NOT NULL REFERENCES case_file (id),
    institution_id TEXT NOT NULL REFERENCES institution (id),
    evidence_id    TEXT NOT NULL REFERENCES evidence (id),
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    requested_by   TEXT NOT NULL,
    requested_us   BIGINT NOT NULL,
    answered_by    TEXT NOT NULL,
    answered_us    BIGINT NOT NULL,
    answer         TEXT NOT NULL,
    until_us       BIGINT NOT NULL,
    leaf           BIGINT NOT NULL,
    answer_leaf    BIGINT NOT NULL
);
CREATE INDEX unmasking_case ON unmasking (case_id);
CREATE INDEX unmasking_item ON unmasking (evidence_id, requested_by);
