-- +goose Up
-- The word of a time-stamping authority (RFC 3161, the DER response) that the checkpoint of size leaves existed at at_us.
CREATE TABLE log_timestamp (
    size     BIGINT PRIMARY KEY,
    at_us    BIGINT NOT NULL,
    response BYTEA NOT NULL
);
