-- +goose Up
-- What a case is about and who works on it, by version; body is its JSON.
CREATE TABLE case_version (
    case_id TEXT NOT NULL REFERENCES case_file (id),
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    leaf    BIGINT NOT NULL,
    PRIMARY KEY (case_id, version)
);

-- The newest version's subjects and links, to be found by.
CREATE TABLE case_subject (
    case_id TEXT NOT NULL REFERENCES case_file (id),
    kind    TEXT NOT NULL,
    ref     TEXT NOT NULL,
    PRIMARY KEY (case_id, kind, ref)
);
CREATE INDEX case_subject_ref ON case_subject (kind, ref);
CREATE TABLE case_link (
    case_id TEXT NOT NULL REFERENCES case_file (id),
    other   TEXT NOT NULL REFERENCES case_file (id),
    reason  TEXT NOT NULL,
    PRIMARY KEY (case_id, other)
);
CREATE INDEX case_link_other ON case_link (other);

-- How a case went through its reviews.
CREATE TABLE case_step (
    case_id    TEXT NOT NULL REFERENCES case_file (id),
    seq        BIGINT NOT NULL,
    action     TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    at_us      BIGINT NOT NULL,
    note       TEXT NOT NULL,
    leaf       BIGINT NOT NULL,
    PRIMARY KEY (case_id, seq)
);
