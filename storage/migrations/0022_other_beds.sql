-- +goose Up
-- The fused face of a visit, for comparing it with the round's other beds. Erased a day after the round's deadline.
CREATE TABLE visit_face (
    visit_id      TEXT PRIMARY KEY,
    round_id      TEXT NOT NULL,
    model_id      TEXT NOT NULL,
    template      BYTEA NOT NULL,
    keep_until_us BIGINT NOT NULL
);
CREATE INDEX visit_face_round ON visit_face (round_id);
CREATE INDEX visit_face_keep ON visit_face (keep_until_us);

-- What other visits show about a visit, sealed or not; nothing of it is changed or deleted.
CREATE TABLE visit_finding (
    visit_id TEXT NOT NULL,
    kind     TEXT NOT NULL,
    basis    TEXT NOT NULL,
    other_id TEXT NOT NULL,
    at_us    BIGINT NOT NULL,
    leaf     BIGINT NOT NULL,
    PRIMARY KEY (visit_id, kind, basis, other_id)
);
