-- +goose Up
-- A package on its way to whoever asked for it, so that a fetch that broke off goes on with the same bytes. object names
-- its custody event; sent is how many bytes from the first on were written, hashed the state of the SHA-256 over them
-- (of a package handed over), frozen what the package is made of, sealed; NULL once nobody may go on with it; why says why not.
CREATE TABLE evidence_export (
    id         TEXT PRIMARY KEY,
    case_id    TEXT NOT NULL REFERENCES case_file (id),
    by_user    TEXT NOT NULL,
    by_role    TEXT NOT NULL,
    object     TEXT NOT NULL,
    begun_us   BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    state      TEXT NOT NULL,
    size       BIGINT NOT NULL,
    sent       BIGINT NOT NULL,
    why        TEXT NOT NULL,
    hashed     BYTEA,
    frozen     BYTEA
);
CREATE INDEX evidence_export_case ON evidence_export (case_id);
CREATE INDEX evidence_export_due ON evidence_export (expires_us) WHERE state <> 'ended';
