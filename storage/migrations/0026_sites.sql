-- +goose Up
-- Where an institution's bedsides are; never changed, only followed by a later
-- version. secret: what its wards' codes are made from, sealed; NULL until needed.
CREATE TABLE site (
    version        INTEGER PRIMARY KEY,
    institution_id TEXT NOT NULL,
    params         TEXT NOT NULL,
    secret_sealed  BYTEA,
    set_by         TEXT NOT NULL,
    set_us         BIGINT NOT NULL,
    leaf           BIGINT NOT NULL
);
CREATE INDEX site_institution ON site (institution_id, version);
