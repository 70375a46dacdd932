-- +goose Up
-- What the challenges of a visit are drawn from: 32 bytes whose SHA-256 was
-- sealed with the order. Told to nobody before the challenges are over.
CREATE TABLE visit_nonce (
    visit_id TEXT PRIMARY KEY REFERENCES visit (id),
    nonce    BYTEA NOT NULL
);
