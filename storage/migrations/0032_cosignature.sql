-- +goose Up
-- What witnesses say of the checkpoint of size leaves: the line that each adds to it, which has its name, a time and its signature.
CREATE TABLE log_cosignature (
    size    BIGINT NOT NULL,
    witness TEXT NOT NULL,
    at_us   BIGINT NOT NULL,
    line    TEXT NOT NULL,
    PRIMARY KEY (size, witness)
);
CREATE INDEX log_cosignature_witness ON log_cosignature (witness, size);
