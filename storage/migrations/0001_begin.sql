-- +goose Up
-- Portable on SQLite and PostgreSQL: times are microseconds since 1970 UTC,
-- 0 meaning "not yet"; flags are 0 or 1; ids are made by us; JSON is TEXT.

CREATE TABLE institution (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE place (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL REFERENCES institution (id),
    name           TEXT NOT NULL,
    kind           TEXT NOT NULL
);
CREATE INDEX place_institution ON place (institution_id);

CREATE TABLE camera (
    id              TEXT PRIMARY KEY,
    institution_id  TEXT NOT NULL REFERENCES institution (id),
    place_id        TEXT NOT NULL REFERENCES place (id),
    name            TEXT NOT NULL,
    url             TEXT NOT NULL,
    login           TEXT NOT NULL,
    password_sealed BYTEA NOT NULL,
    transport       TEXT NOT NULL,
    segment_seconds INTEGER NOT NULL,
    retention_days  INTEGER NOT NULL,
    enabled         INTEGER NOT NULL,
    created_us      BIGINT NOT NULL
);
CREATE INDEX camera_place ON camera (place_id);

CREATE TABLE segment (
    id               TEXT PRIMARY KEY,
    source_kind      TEXT NOT NULL,
    source_id        TEXT NOT NULL,
    institution_id   TEXT NOT NULL,
    seq              BIGINT NOT NULL,
    start_us         BIGINT NOT NULL,
    end_us           BIGINT NOT NULL,
    media_us         BIGINT NOT NULL,
    clock            TEXT NOT NULL,
    camera_offset_us BIGINT NOT NULL,
    codec            TEXT NOT NULL,
    bytes            BIGINT NOT NULL,
    sha256           BYTEA NOT NULL,
    object_key       TEXT NOT NULL UNIQUE,
    state            TEXT NOT NULL,
    repaired         INTEGER NOT NULL,
    leaf             BIGINT NOT NULL,
    UNIQUE (source_kind, source_id, seq)
);
CREATE INDEX segment_time ON segment (source_kind, source_id, start_us);
CREATE INDEX segment_state ON segment (state, start_us);

CREATE TABLE gap (
    id             TEXT PRIMARY KEY,
    source_kind    TEXT NOT NULL,
    source_id      TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    cause          TEXT NOT NULL
);
CREATE INDEX gap_time ON gap (source_kind, source_id, from_us);

CREATE TABLE sighting (
    id             TEXT PRIMARY KEY,
    camera_id      TEXT NOT NULL,
    place_id       TEXT NOT NULL,
    institution_id TEXT NOT NULL,
    kind           TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    people         INTEGER NOT NULL,
    score          DOUBLE PRECISION NOT NULL,
    box            TEXT NOT NULL,
    model_id       TEXT NOT NULL,
    template       BYTEA,
    snapshot_key   TEXT NOT NULL
);
CREATE INDEX sighting_time ON sighting (place_id, kind, to_us);

CREATE TABLE insured (
    id        TEXT PRIMARY KEY,
    name      BYTEA NOT NULL,
    id_number BYTEA NOT NULL,
    photo_key TEXT NOT NULL,
    template  BYTEA,
    model_id  TEXT NOT NULL
);

CREATE TABLE settlement (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL REFERENCES institution (id),
    place_id       TEXT NOT NULL REFERENCES place (id),
    external_no    TEXT NOT NULL,
    insured_id     TEXT NOT NULL,
    kind           TEXT NOT NULL,
    at_us          BIGINT NOT NULL,
    amount_fen     BIGINT NOT NULL,
    received_us    BIGINT NOT NULL,
    due_us         BIGINT NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    UNIQUE (institution_id, external_no)
);
CREATE INDEX settlement_due ON settlement (state, due_us);
CREATE INDEX settlement_place ON settlement (place_id, at_us);

-- One row per idempotency key of a user: the same key with another body is refused.
CREATE TABLE idempotency (
    actor       TEXT NOT NULL,
    idem_key    TEXT NOT NULL,
    body_sha256 BYTEA NOT NULL,
    answer      TEXT NOT NULL,
    at_us       BIGINT NOT NULL,
    PRIMARY KEY (actor, idem_key)
);

CREATE TABLE alert (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL,
    place_id       TEXT NOT NULL,
    camera_id      TEXT NOT NULL,
    rule           TEXT NOT NULL,
    rule_version   INTEGER NOT NULL,
    settlement_id  TEXT NOT NULL,
    related        TEXT NOT NULL,
    at_us          BIGINT NOT NULL,
    raised_us      BIGINT NOT NULL,
    severity       INTEGER NOT NULL,
    state          TEXT NOT NULL,
    decided_by     TEXT NOT NULL,
    decision_note  TEXT NOT NULL,
    sightings      TEXT NOT NULL,
    explain_zh     TEXT NOT NULL,
    explain_en     TEXT NOT NULL,
    snapshot_key   TEXT NOT NULL,
    snapshot_sha   BYTEA,
    clip_from_us   BIGINT NOT NULL,
    clip_to_us     BIGINT NOT NULL,
    case_id        TEXT NOT NULL,
    leaf           BIGINT NOT NULL,
    UNIQUE (rule, settlement_id)
);
CREATE INDEX alert_raised ON alert (institution_id, raised_us);

CREATE TABLE admission (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL REFERENCES institution (id),
    insured_id     TEXT NOT NULL,
    ward           TEXT NOT NULL,
    bed            TEXT NOT NULL,
    physician      TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL
);
CREATE INDEX admission_ward ON admission (institution_id, ward);

CREATE TABLE round (
    id             TEXT PRIMARY KEY,
    institution_id TEXT NOT NULL REFERENCES institution (id),
    ordered_by     TEXT NOT NULL,
    reason         TEXT NOT NULL,
    ward           TEXT NOT NULL,
    ordered_us     BIGINT NOT NULL,
    deadline_us    BIGINT NOT NULL,
    leaf           BIGINT NOT NULL
);

CREATE TABLE visit (
    id              TEXT PRIMARY KEY,
    round_id        TEXT NOT NULL REFERENCES round (id),
    institution_id  TEXT NOT NULL,
    admission_id    TEXT NOT NULL,
    insured_id      TEXT NOT NULL,
    ward            TEXT NOT NULL,
    bed             TEXT NOT NULL,
    state           TEXT NOT NULL,
    verdict         TEXT NOT NULL,
    reason_zh       TEXT NOT NULL,
    reason_en       TEXT NOT NULL,
    decided_by      TEXT NOT NULL,
    token_hash      BYTEA NOT NULL UNIQUE,
    device_hash     BYTEA,
    link_expires_us BIGINT NOT NULL,
    deadline_us     BIGINT NOT NULL,
    opened_us       BIGINT NOT NULL,
    consented_us    BIGINT NOT NULL,
    sealed_us       BIGINT NOT NULL,
    snapshot_key    TEXT NOT NULL,
    snapshot_sha    BYTEA,
    case_id         TEXT NOT NULL,
    leaf            BIGINT NOT NULL
);
CREATE INDEX visit_round ON visit (round_id);
CREATE INDEX visit_open ON visit (state, deadline_us);
CREATE UNIQUE INDEX visit_device ON visit (device_hash);

CREATE TABLE visit_check (
    visit_id  TEXT NOT NULL REFERENCES visit (id),
    kind      TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    detail_zh TEXT NOT NULL,
    detail_en TEXT NOT NULL,
    score     DOUBLE PRECISION NOT NULL,
    at_us     BIGINT NOT NULL,
    PRIMARY KEY (visit_id, kind)
);

CREATE TABLE visit_event (
    visit_id TEXT NOT NULL REFERENCES visit (id),
    seq      BIGINT NOT NULL,
    at_us    BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (visit_id, seq)
);

CREATE TABLE case_file (
    id             TEXT PRIMARY KEY,
    number         TEXT NOT NULL UNIQUE,
    institution_id TEXT NOT NULL,
    title          TEXT NOT NULL,
    opened_us      BIGINT NOT NULL,
    opened_by      TEXT NOT NULL
);

CREATE TABLE evidence (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL REFERENCES case_file (id),
    kind     TEXT NOT NULL,
    ref      TEXT NOT NULL,
    sha256   BYTEA NOT NULL,
    added_us BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    leaf     BIGINT NOT NULL,
    UNIQUE (case_id, kind, ref)
);

CREATE TABLE custody (
    case_id TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    at_us   BIGINT NOT NULL,
    actor   TEXT NOT NULL,
    role    TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    sha256  TEXT NOT NULL,
    reason  TEXT NOT NULL,
    leaf    BIGINT NOT NULL,
    PRIMARY KEY (case_id, seq)
);

CREATE TABLE user_account (
    id               TEXT PRIMARY KEY,
    login            TEXT NOT NULL UNIQUE,
    name             TEXT NOT NULL,
    role             TEXT NOT NULL,
    all_institutions INTEGER NOT NULL,
    password_hash    TEXT NOT NULL,
    disabled         INTEGER NOT NULL,
    created_us       BIGINT NOT NULL
);

CREATE TABLE user_scope (
    user_id        TEXT NOT NULL REFERENCES user_account (id),
    institution_id TEXT NOT NULL REFERENCES institution (id),
    PRIMARY KEY (user_id, institution_id)
);

-- Browser sessions, API tokens and one-time sign-ins, all by the hash of a 128-bit secret.
CREATE TABLE session (
    token_hash BYTEA PRIMARY KEY,
    kind       TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES user_account (id),
    created_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    expires_us BIGINT NOT NULL
);

-- The ledger. sealed_record holds the exact bytes that a leaf commits to, with a salt inside; erasing
-- a person deletes the record and leaves the log whole.
CREATE TABLE sealed_record (
    leaf BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    ref  TEXT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX sealed_ref ON sealed_record (kind, ref);

CREATE TABLE log_entry (
    idx  BIGINT PRIMARY KEY,
    leaf BYTEA NOT NULL
);

CREATE TABLE log_hash (
    pos BIGINT PRIMARY KEY,
    h   BYTEA NOT NULL
);

CREATE TABLE log_checkpoint (
    size  BIGINT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    note  TEXT NOT NULL
);

CREATE TABLE process_life (
    id       TEXT PRIMARY KEY,
    began_us BIGINT NOT NULL,
    seen_us  BIGINT NOT NULL,
    ended_us BIGINT NOT NULL
);
