-- +goose Up
-- A link by which one person outside fetches a case's package. party is the
-- person, sealed; salt commits its custody event to it. token_hash finds the
-- link, code_hash is of link and code together, device_hash is of the one
-- device that opened it.
CREATE TABLE share (
    id             TEXT PRIMARY KEY,
    case_id        TEXT NOT NULL REFERENCES case_file (id),
    institution_id TEXT NOT NULL,
    party          BYTEA NOT NULL,
    salt           BYTEA NOT NULL,
    reason         TEXT NOT NULL,
    created_us     BIGINT NOT NULL,
    created_by     TEXT NOT NULL,
    expires_us     BIGINT NOT NULL,
    token_hash     BYTEA NOT NULL UNIQUE,
    code_hash      BYTEA NOT NULL,
    device_hash    BYTEA UNIQUE,
    tries          INTEGER NOT NULL,
    opened_us      BIGINT NOT NULL,
    revoked_us     BIGINT NOT NULL,
    revoked_by     TEXT NOT NULL
);
CREATE INDEX share_case ON share (case_id);

-- A package that was delivered whole; receipt is who confirmed it, sealed.
CREATE TABLE share_delivery (
    share_id     TEXT NOT NULL REFERENCES share (id),
    seq          BIGINT NOT NULL,
    at_us        BIGINT NOT NULL,
    bytes        BIGINT NOT NULL,
    sha256       BYTEA NOT NULL,
    confirmed_us BIGINT NOT NULL,
    receipt      BYTEA,
    PRIMARY KEY (share_id, seq)
);
